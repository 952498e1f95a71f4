import { setTimeout as pause } from "node:timers/promises";
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { assert, EventPulseError } from "../../model/error.ts";
import { type Item, type ItemKey, keyText } from "./item.ts";
import { busy, type Table, type TransactWrite } from "./table.ts";

/** What DynamoDB takes in one transaction. */
export const transactionItemsMax = 100;
/** Tries of a transaction that lost a race for one of its items. */
const triesMax = 15;

/** Something that a transaction relied on had changed: read again and compute again. */
class Race extends Error {}

/**
 * Reads and writes that take effect at once or not at all, and only if nothing that was read has changed meanwhile
 * (optimistic locking by the items' `v`). What is read again comes from memory; the last write of an item counts.
 */
export class UnitOfWork {
  readonly table: Table;
  /** As stored when it was read. */
  readonly #read = new Map<string, Item | null>();
  /** Null: to be deleted. */
  readonly #written = new Map<string, { readonly key: ItemKey; readonly item: Item | null }>();
  readonly #afterCommit: (() => void)[] = [];

  constructor(table: Table) {
    this.table = table;
  }

  /** Writes so far. */
  get size(): number {
    return this.#written.size;
  }

  async load(key: ItemKey): Promise<Item | null> {
    const [item = null] = await this.loadAll([key]);
    return item;
  }

  /** In the order of `keys`. Two or more are one call for up to 100 of them. */
  async loadAll(keys: readonly ItemKey[]): Promise<(Item | null)[]> {
    const missing = keys.filter((key) => !this.#read.has(keyText(key)));
    if (missing.length === 1 && missing[0] !== undefined) {
      this.#read.set(keyText(missing[0]), await this.table.get(missing[0]));
    } else if (missing.length > 1) {
      const found = await this.table.getAll(missing);
      for (const key of missing) this.#read.set(keyText(key), found.get(keyText(key)) ?? null);
    }
    return keys.map((key) => {
      const text = keyText(key);
      const written = this.#written.get(text);
      return written === undefined ? (this.#read.get(text) ?? null) : written.item;
    });
  }

  /** Writes an item: over whatever is there if it was not read here, else only if it has not changed since. */
  put(item: Item): void {
    this.#written.set(keyText(item), { key: item, item });
  }

  delete(key: ItemKey): void {
    this.#written.set(keyText(key), { key, item: null });
  }

  /** Calls `done` once the writes have taken effect; never when they have not. */
  onCommit(done: () => void): void {
    this.#afterCommit.push(done);
  }

  /** All writes, and as conditions all reads of what is written; at most `transactionItemsMax`. */
  async commit(): Promise<void> {
    if (this.#written.size === 0) return;
    assert(this.#written.size <= transactionItemsMax, "a unit of work fits one transaction");
    const writes = [...this.#written].map(([text, { key, item }]) => this.#write(text, key, item));
    try {
      await busy(this.table.transact(writes));
    } catch (error) {
      if (isRace(error)) throw new Race("lost a race", { cause: error });
      if (isThrottled(error)) {
        throw new EventPulseError("TOO_BUSY", "The table takes no more right now; try again.", { cause: error });
      }
      throw error;
    }
    for (const done of this.#afterCommit) done();
  }

  #write(text: string, { pk, sk }: ItemKey, item: Item | null): TransactWrite {
    const TableName = this.table.name;
    const condition = this.#condition(text);
    if (item === null) return { Delete: { TableName, Key: { pk, sk }, ...condition } };
    const v = (this.#read.get(text)?.v ?? 0) + 1;
    return { Put: { TableName, Item: { ...item, v }, ...condition } };
  }

  #condition(text: string) {
    const read = this.#read.get(text);
    if (read === undefined) return {};
    if (read === null) {
      // What has expired may still lie there; for readers it is gone, so it may be written over.
      return {
        ConditionExpression: "attribute_not_exists(pk) OR #ttl <= :now",
        ExpressionAttributeNames: { "#ttl": "ttl" },
        ExpressionAttributeValues: { ":now": Math.floor(this.table.clock() / 1000) },
      };
    }
    if (read.v === undefined) return { ConditionExpression: "attribute_exists(pk) AND attribute_not_exists(v)" };
    return { ConditionExpression: "v = :v", ExpressionAttributeValues: { ":v": read.v } };
  }
}

/**
 * Runs `body` and commits what it wrote, again from the start as long as others change what it read. That is not a retry of a
 * failed call (the SDK makes those) but how optimistic locking resolves a conflict. Throws what `body` throws, and TOO_BUSY
 * when the race is lost too often.
 */
export async function transaction<Result>(
  table: Table,
  body: (unit: UnitOfWork) => Promise<Result> | Result,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    const unit = new UnitOfWork(table);
    const result = await body(unit);
    try {
      await unit.commit();
      return result;
    } catch (error) {
      if (!(error instanceof Race)) throw error;
      if (tries === triesMax) {
        throw new EventPulseError("TOO_BUSY", "Too many write the same item at once; try again.", { cause: error });
      }
      await pause(Math.random() * Math.min(200, 5 * 2 ** tries));
    }
  }
}

function isRace(error: unknown): boolean {
  if (!(error instanceof TransactionCanceledException)) return (error as Error).name === "TransactionConflictException";
  return reasons(error).some((code) => code === "ConditionalCheckFailed" || code === "TransactionConflict");
}

/** Told as the reason of a cancelled transaction, which the SDK does not try again. */
function isThrottled(error: unknown): boolean {
  if (!(error instanceof TransactionCanceledException)) return false;
  return reasons(error).some((code) => code === "ThrottlingError" || code === "ProvisionedThroughputExceeded");
}

function reasons({ CancellationReasons: list }: TransactionCanceledException): (string | undefined)[] {
  return list?.map(({ Code: code }) => code) ?? [];
}
