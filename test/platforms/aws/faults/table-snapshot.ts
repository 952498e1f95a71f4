import { type DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { type Item, keyText } from "../../../../src/platforms/aws/item.ts";
import { Table } from "../../../../src/platforms/aws/table.ts";

interface QueryInput {
  readonly IndexName?: string;
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues: Readonly<Record<string, string>>;
  readonly ScanIndexForward?: boolean;
  readonly Limit?: number;
  readonly ExclusiveStartKey?: Item;
}

/**
 * All that is in a table at one moment, and the table as it reads then: the ports' own reads run over it, without a call for
 * each. A round would otherwise spend most of its time on being checked.
 */
export class TableSnapshot {
  readonly items: ReadonlyMap<string, Item>;
  readonly table: Table;

  private constructor(items: ReadonlyMap<string, Item>, { name, clock }: Table) {
    this.items = items;
    const send = async (command: { readonly input: object }) =>
      this.#answer(command.constructor.name, command.input as never);
    this.table = new Table({ send } as unknown as DynamoDBDocumentClient, name, clock);
  }

  static async take(client: DynamoDBDocumentClient, table: Table): Promise<TableSnapshot> {
    const items = new Map<string, Item>();
    let after: Record<string, unknown> | undefined;
    do {
      const page = await client.send(
        new ScanCommand({ TableName: table.name, ConsistentRead: true, ExclusiveStartKey: after }),
      );
      for (const item of (page.Items ?? []) as Item[]) items.set(keyText(item), item);
      after = page.LastEvaluatedKey;
    } while (after !== undefined);
    return new TableSnapshot(items, table);
  }

  /** Items of which the partition key starts with `prefix`. */
  startingWith(prefix: string): readonly Item[] {
    return [...this.items.values()].filter(({ pk }) => pk.startsWith(prefix));
  }

  #answer(command: string, input: never): unknown {
    if (command === "GetCommand") {
      return { Item: this.items.get(keyText((input as { readonly Key: Item }).Key)) };
    }
    if (command === "BatchGetCommand") {
      const requests = (input as { readonly RequestItems: Record<string, { readonly Keys: readonly Item[] }> })
        .RequestItems;
      const [name = "", { Keys: keys } = { Keys: [] }] = Object.entries(requests)[0] ?? [];
      return { Responses: { [name]: keys.flatMap((key) => this.items.get(keyText(key)) ?? []) } };
    }
    if (command === "QueryCommand") return this.#query(input);
    throw new Error(`a snapshot takes no ${command}`);
  }

  #query({
    IndexName: index,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
    ScanIndexForward: forward = true,
    Limit: limit = Number.POSITIVE_INFINITY,
    ExclusiveStartKey: start,
  }: QueryInput) {
    const prefix = index?.slice(0, 2);
    const [partition, sort] = (prefix === undefined ? ["pk", "sk"] : [`${prefix}p`, `${prefix}s`]) as [
      keyof Item,
      keyof Item,
    ];
    const sortKey = (item: Item) => String(item[sort]);
    const { ":from": from = "", ":to": to = "\uffff" } = values;
    if (names["#p"] !== partition) throw new Error(`a query of ${partition} names ${names["#p"]}`);
    const found = [...this.items.values()]
      .filter((item) => item[partition] === values[":p"] && sortKey(item) >= from && sortKey(item) <= to)
      .sort((left, right) => compare(sortKey(left), sortKey(right)) || compare(keyText(left), keyText(right)));
    if (!forward) found.reverse();
    const first = start === undefined ? 0 : found.findIndex((item) => keyText(item) === keyText(start)) + 1;
    const page = found.slice(first, first + limit);
    const last = page.at(-1);
    const isMore = last !== undefined && first + page.length < found.length;
    return { Items: page, LastEvaluatedKey: isMore ? last : undefined };
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
