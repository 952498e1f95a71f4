import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ConditionalCheckFailedException, ReturnValuesOnConditionCheckFailure } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { EventPulseError } from "../../model/error.ts";
import { type Item, type ItemKey, keyText } from "./item.ts";

export type Clock = () => number;
export type TableIndex = "g1" | "g2";
export type TransactWrite = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];

export interface ItemRange {
  /** Null: the table itself. */
  readonly index: TableIndex | null;
  readonly partition: string;
  /** Sort keys, both inclusive. */
  readonly from?: string;
  readonly to?: string;
  readonly descending?: boolean;
  /** Items looked at, at most; DynamoDB ends a page at 1 MB anyway. */
  readonly limit?: number;
  /** Where the page before ended. */
  readonly after?: Readonly<Record<string, unknown>> | null;
}

export interface ItemPage {
  readonly items: readonly Item[];
  /** Null: this was the last page. */
  readonly after: Readonly<Record<string, unknown>> | null;
}

const batchGetMax = 100;
const batchWriteMax = 25;
/** Rounds for what a batch left unprocessed, which the SDK does not ask for again. */
const batchRoundsMax = 8;
/** Single writes at once. */
const writesAtOnce = 32;

/**
 * The one DynamoDB table. Reads are consistent, but for the list indexes, which follow within about a second; an item whose
 * `ttl` has passed is gone for every reader. Throws TOO_BUSY when DynamoDB still throttles after the SDK's retries.
 */
export class Table {
  readonly name: string;
  readonly clock: Clock;
  readonly #client: DynamoDBDocumentClient;

  constructor(client: DynamoDBDocumentClient, name: string, clock: Clock) {
    this.#client = client;
    this.name = name;
    this.clock = clock;
  }

  async get({ pk, sk }: ItemKey): Promise<Item | null> {
    const input = { TableName: this.name, Key: { pk, sk }, ConsistentRead: true };
    const { Item: item } = await busy(this.#client.send(new GetCommand(input)));
    return this.#live(item as Item | undefined);
  }

  /** Those that are there, by `keyText`. */
  async getAll(keys: readonly ItemKey[]): Promise<Map<string, Item>> {
    const wanted = [...new Map(keys.map((key) => [keyText(key), { pk: key.pk, sk: key.sk }])).values()];
    const found = new Map<string, Item>();
    await inParallel(chunks(wanted, batchGetMax), async (chunk) => {
      let left: Record<string, unknown>[] = chunk;
      for (let round = 0; left.length > 0; round++) {
        await backOff(round);
        const request = { RequestItems: { [this.name]: { Keys: left, ConsistentRead: true } } };
        const { Responses: answers, UnprocessedKeys: unprocessed } = await busy(
          this.#client.send(new BatchGetCommand(request)),
        );
        for (const item of (answers?.[this.name] ?? []) as Item[]) {
          if (this.#live(item) !== null) found.set(keyText(item), item);
        }
        left = unprocessed?.[this.name]?.Keys ?? [];
      }
    });
    return found;
  }

  /** Writes over whatever is there. */
  async putAll(items: readonly Item[]): Promise<void> {
    await this.#batchWrite(items.map((item) => ({ PutRequest: { Item: { ...item } } })));
  }

  async deleteAll(keys: readonly ItemKey[]): Promise<void> {
    await this.#batchWrite(keys.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })));
  }

  /** Writes the item unless one with its key is there; then answers with that one. An expired one is replaced. */
  async putNew(item: Item): Promise<Item | null> {
    try {
      await busy(
        this.#client.send(
          new PutCommand({
            TableName: this.name,
            Item: { ...item },
            ConditionExpression: "attribute_not_exists(pk) OR #ttl <= :now",
            ExpressionAttributeNames: { "#ttl": "ttl" },
            ExpressionAttributeValues: { ":now": Math.floor(this.clock() / 1000) },
            ReturnValuesOnConditionCheckFailure: ReturnValuesOnConditionCheckFailure.ALL_OLD,
          }),
        ),
      );
      return null;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // The document client leaves the item of an error as DynamoDB wrote it. One that went meanwhile is in nobody's way.
      return (await this.get(item)) ?? this.putNew(item);
    }
  }

  /** Writes the item unless one with its key stays at least as long; for items that say nothing but that they are there. */
  async putLonger(item: Item & { readonly ttl: number }): Promise<void> {
    await this.#putIf(item, "attribute_not_exists(pk) OR #ttl < :ttl", {
      names: { "#ttl": "ttl" },
      values: { ":ttl": item.ttl },
    });
  }

  /** Writes the item where the condition holds, else nothing. */
  async #putIf(
    item: Item,
    condition: string,
    { names, values }: { readonly names: Record<string, string>; readonly values: Record<string, number> },
  ): Promise<void> {
    const put = new PutCommand({
      TableName: this.name,
      Item: { ...item },
      ConditionExpression: condition,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    });
    try {
      await busy(this.#client.send(put));
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  /**
   * Writes each item, many at once, unless one with its key is there that was found with a state at least as new, or that
   * somebody has changed since: of several tries, the one that began last wins, in whatever order they write.
   */
  async putAllFound(items: readonly (Item & { readonly s: number })[]): Promise<void> {
    await inParallel(items, (item) =>
      this.#putIf(item, "attribute_not_exists(pk) OR #ttl <= :now OR (attribute_not_exists(v) AND s < :s)", {
        names: { "#ttl": "ttl" },
        values: { ":now": Math.floor(this.clock() / 1000), ":s": item.s },
      }),
    );
  }

  /** `putNew` of each, many at once; answers in their order. */
  async putAllNew(items: readonly Item[]): Promise<(Item | null)[]> {
    const answers: (Item | null)[] = [];
    await inParallel([...items.entries()], async ([index, item]) => {
      answers[index] = await this.putNew(item);
    });
    return answers;
  }

  async delete({ pk, sk }: ItemKey): Promise<void> {
    await busy(this.#client.send(new DeleteCommand({ TableName: this.name, Key: { pk, sk } })));
  }

  async query({ index, partition, from, to, descending = false, limit, after }: ItemRange): Promise<ItemPage> {
    const [partitionName, sortName] = index === null ? ["pk", "sk"] : [`${index}p`, `${index}s`];
    const range = from === undefined && to === undefined ? "" : " AND #s BETWEEN :from AND :to";
    const { Items: items = [], LastEvaluatedKey: last } = await busy(
      this.#client.send(
        new QueryCommand({
          TableName: this.name,
          IndexName: index === null ? undefined : indexName(index),
          ConsistentRead: index === null,
          KeyConditionExpression: `#p = :p${range}`,
          ExpressionAttributeNames: { "#p": partitionName, ...(range !== "" && { "#s": sortName }) },
          ExpressionAttributeValues: {
            ":p": partition,
            ...(range !== "" && { ":from": from ?? " ", ":to": to ?? "\uffff" }),
          },
          ScanIndexForward: !descending,
          Limit: limit,
          ExclusiveStartKey: after ?? undefined,
        }),
      ),
    );
    return { items: (items as Item[]).filter((item) => this.#live(item) !== null), after: last ?? null };
  }

  /** All items of a range, page by page. */
  async *queryAll(range: ItemRange): AsyncGenerator<Item> {
    let { after = null } = range;
    do {
      const page: ItemPage = await this.query({ ...range, after });
      yield* page.items;
      after = page.after;
    } while (after !== null);
  }

  /** All writes (up to 100) or none. Throws what DynamoDB throws: `UnitOfWork` reads it. */
  async transact(writes: readonly TransactWrite[]): Promise<void> {
    // One token for all attempts of the SDK: when the answer to one that took effect is lost, the next one changes nothing.
    const token = randomUUID();
    await this.#client.send(new TransactWriteCommand({ TransactItems: [...writes], ClientRequestToken: token }));
  }

  async #batchWrite(requests: readonly Record<string, unknown>[]): Promise<void> {
    await inParallel(chunks(requests, batchWriteMax), async (chunk) => {
      let left: Record<string, unknown>[] = chunk;
      for (let round = 0; left.length > 0; round++) {
        await backOff(round);
        const { UnprocessedItems: unprocessed } = await busy(
          this.#client.send(new BatchWriteCommand({ RequestItems: { [this.name]: left } })),
        );
        left = (unprocessed?.[this.name] as Record<string, unknown>[] | undefined) ?? [];
      }
    });
  }

  #live(item: Item | undefined): Item | null {
    if (item === undefined) return null;
    return item.ttl !== undefined && item.ttl * 1000 <= this.clock() ? null : item;
  }
}

/** DynamoDB wants at least three characters. */
export function indexName(index: TableIndex): string {
  return `${index}-index`;
}

const throttled = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "InternalServerError",
  // The attempt before, whose answer was lost, is still at work.
  "TransactionInProgressException",
]);

/** The same promise, with what DynamoDB says of too much work as TOO_BUSY. */
export async function busy<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (cause) {
    if (!throttled.has((cause as Error).name)) throw cause;
    throw new EventPulseError("TOO_BUSY", "The table takes no more right now; try again.", { cause });
  }
}

/** Before each round but the first; throws TOO_BUSY when there were too many. Jittered, from 25 ms. */
async function backOff(round: number): Promise<void> {
  if (round === 0) return;
  if (round > batchRoundsMax) throw new EventPulseError("TOO_BUSY", "The table takes no more right now; try again.");
  await pause(Math.random() * 25 * 2 ** round);
}

export function chunks<Value>(values: readonly Value[], size: number): Value[][] {
  const parts: Value[][] = [];
  for (let start = 0; start < values.length; start += size) parts.push(values.slice(start, start + size));
  return parts;
}

/** Calls `work` with each value, up to `writesAtOnce` at once; throws the first error once those under way have ended. */
export async function inParallel<Value>(
  values: readonly Value[],
  work: (value: Value) => Promise<void>,
): Promise<void> {
  const queue = values[Symbol.iterator]();
  const errors: unknown[] = [];
  const workers = Array.from({ length: Math.min(writesAtOnce, values.length) }, async () => {
    for (const value of queue) {
      if (errors.length > 0) return;
      await work(value).catch((error: unknown) => errors.push(error));
    }
  });
  await Promise.all(workers);
  if (errors.length > 0) throw errors[0];
}
