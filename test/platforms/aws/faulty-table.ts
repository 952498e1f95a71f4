import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Table } from "../../../src/platforms/aws/table.ts";
import type { TestTable } from "./aws-services.ts";

/** When a call fails: before it has any effect, or after it took effect, as when its answer is lost. */
export type Fault = "before" | "after" | null;

/** The same table, reached by a client of which calls fail. `fault` is asked for each call, by the name of its command. */
export function faultyTable({ table, client }: TestTable, fault: (command: string) => Fault): Table {
  const send = async (command: object) => {
    const failing = fault(command.constructor.name);
    if (failing === "before") throw new Error("injected: nothing was done");
    const answer = await client.send(command as Parameters<typeof client.send>[0]);
    if (failing === "after") throw new Error("injected: the answer is lost");
    return answer;
  };
  return new Table({ send } as unknown as DynamoDBDocumentClient, table.name, table.clock);
}
