import { dynamoRecordTable } from "../../../src/platforms/aws/record-table.ts";
import type { Clock } from "../../../src/platforms/aws/table.ts";
import { testTable } from "./aws-services.ts";

/** A record table whose calls of DynamoDB are counted by name, and can be made to fail. */
export async function countedTable(clock: Clock) {
  const { table, client, remove } = await testTable(clock);
  const calls = new Map<string, number>();
  const failing: { before: (name: string, call: number) => void } = { before: () => {} };
  client.middlewareStack.add(
    (next, context) => async (input) => {
      const name = String(context["commandName"]).replace("Command", "");
      const count = (calls.get(name) ?? 0) + 1;
      calls.set(name, count);
      failing.before(name, count);
      return next(input);
    },
    { step: "initialize", name: "counted", priority: "high" },
  );
  const outbox = { add: () => {}, dispatch: async () => {} };
  return {
    table,
    calls,
    failing,
    records: dynamoRecordTable(table, { outbox }),
    remove,
  };
}
