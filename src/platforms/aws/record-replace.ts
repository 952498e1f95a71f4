import type { ReplaceResult, Reprocessed } from "../../model/replacement.ts";
import type { Table } from "./table.ts";

export async function replaceRecords(
  _table: Table,
  _reprocessed: readonly Reprocessed[],
  _dryRun: boolean,
): Promise<readonly ReplaceResult[]> {
  throw new Error("to be written");
}
