/** Name of an item in the table. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/**
 * One item. What people see of it is JSON text, parsed only when somebody asks; the rest is what DynamoDB itself must know.
 * Writes through `UnitOfWork` count `v`.
 */
export interface Item extends ItemKey {
  /** The entity as JSON text. */
  readonly j?: string;
  /** Counts writes; conditions of later writes compare it. */
  readonly v?: number;
  /** Seconds since 1970 after which the item is gone: DynamoDB removes it days later, reads leave it out at once. */
  readonly ttl?: number;
  /** Partition and sort key of the two list indexes; left out: not in that list. */
  readonly g1p?: string;
  readonly g1s?: string;
  readonly g2p?: string;
  readonly g2s?: string;
  /** Version of the detector state that an anomaly was found with, where it was written before its transaction. */
  readonly s?: number;
  /** Bytes, such as a payload. */
  readonly b?: Uint8Array;
}

/** As one text, for maps. */
export function keyText({ pk, sk }: ItemKey): string {
  return `${pk}\u0000${sk}`;
}

/** The entity of an item; whoever wrote it wrote this type. */
export function entityOf<Entity>(item: Item): Entity {
  return JSON.parse(item.j ?? "null") as Entity;
}

/** Seconds since 1970, rounded up, as DynamoDB's TTL wants it. */
export function ttlOf(expiresAtMillis: number): number {
  return Math.ceil(expiresAtMillis / 1000);
}
