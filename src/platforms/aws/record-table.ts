import type { RecordTable } from "../../ports/record-table.ts";
import { dynamoOutcomes, type OutcomeOptions } from "./outcomes.ts";
import { recordQueries } from "./record-query.ts";
import type { Table } from "./table.ts";

/** Records, and all that is committed with them, in the table. */
export function dynamoRecordTable(table: Table, options: OutcomeOptions): RecordTable {
  return { ...dynamoOutcomes(table, options), ...recordQueries(table) };
}
