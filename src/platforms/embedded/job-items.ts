import { decodeCursor, encodeCursor } from "../../model/cursor.ts";
import { assert } from "../../model/error.ts";
import type { ItemResult, JobItem } from "../../model/job.ts";
import { limits } from "../../model/limits.ts";
import type { Page } from "../../model/page.ts";
import type { JobItemQuery } from "../../ports/job-log.ts";
import type { Database } from "./database.ts";

/** What became of the items from one position on, without gaps: in `job_steps.results`, as JSON. */
type StepResults = readonly (readonly [result: ItemResult, detail: JobItem["detail"], recordId: JobItem["recordId"]])[];

/** Position of the last item that is done; 0 when none is. */
function lastDone(database: Database, job: number): number {
  const sql = "SELECT max(last_position) AS position FROM job_steps WHERE job = ?";
  return database.get<{ position: number | null }>(sql, job)?.position ?? 0;
}

/** Up to `max` items without a result, ascending. */
export function itemsTodo(database: Database, job: number, max: number): readonly JobItem[] {
  return itemsAfter(database, job, lastDone(database, job), max);
}

function itemsAfter(database: Database, job: number, position: number, max: number): JobItem[] {
  return database
    .arrays<readonly [position: number, target: string]>(
      "SELECT position, target FROM job_items WHERE job = ? AND position > ? ORDER BY position LIMIT ?",
      job,
      position,
      max,
    )
    .map(([at, target]) => ({ position: at, target, result: null, detail: null, recordId: null }));
}

/**
 * Writes what became of the first items that had no result: one row for all of a step, since a row for each costs 2.4 us an
 * item and this 0.4.
 */
export function writeItemResults(
  database: Database,
  job: number,
  items: readonly (JobItem & { readonly result: ItemResult })[],
): void {
  const [first] = items;
  if (first === undefined) return;
  const from = lastDone(database, job) + 1;
  const inOrder = items.every(({ position }, index) => position === from + index);
  assert(inOrder, "a step does the first of the items that are left, in their order");
  const results: StepResults = items.map(({ result, detail, recordId }) => [result, detail, recordId]);
  const last = first.position + items.length - 1;
  database.run("INSERT INTO job_steps VALUES (?, ?, ?, ?)", job, last, first.position, JSON.stringify(results));
}

/** Ascending by position. Throws CURSOR_INVALID. */
export function pageOfItems(database: Database, job: number, { result, limit, cursor }: JobItemQuery): Page<JobItem> {
  const after = cursor === null ? 0 : Number(decodeCursor("items", cursor, ["number"])[0]);
  const rowsMax = Math.min(Math.max(1, limit), limits.pageRowsMax);
  const rows = result === "todo" ? [] : itemsDone(database, job, after, result, rowsMax + 1);
  if (result === null || result === "todo") {
    const todoAfter = Math.max(after, lastDone(database, job));
    rows.push(...itemsAfter(database, job, todoAfter, rowsMax + 1 - rows.length));
  }
  const last = rows.length > rowsMax ? rows[rowsMax - 1] : undefined;
  return { rows: rows.slice(0, rowsMax), next: last === undefined ? null : encodeCursor("items", [last.position]) };
}

/** The first `max` items behind `after` with a result: this one, or any. */
function itemsDone(database: Database, job: number, after: number, wanted: ItemResult | null, max: number): JobItem[] {
  const rows: JobItem[] = [];
  for (let position = after; rows.length < max; ) {
    const step = database.get<{ first: number; last: number; results: string }>(
      `SELECT first_position AS first, last_position AS last, results FROM job_steps
         WHERE job = ? AND last_position > ? ORDER BY last_position LIMIT 1`,
      job,
      position,
    );
    if (step === null) break;
    for (const [index, [result, detail, recordId]] of (JSON.parse(step.results) as StepResults).entries()) {
      const at = step.first + index;
      if (at <= after || rows.length === max || (wanted !== null && wanted !== result)) continue;
      const target = targetAt(database, job, at);
      if (target !== null) rows.push({ position: at, target, result, detail, recordId });
    }
    position = step.last;
  }
  return rows;
}

/** Null when retention has begun to remove the job. */
function targetAt(database: Database, job: number, position: number): string | null {
  const sql = "SELECT target FROM job_items WHERE job = ? AND position = ?";
  return database.get<{ target: string }>(sql, job, position)?.target ?? null;
}

/** Removes the first `max` items of a job that is over, and with the last of them what became of them; answers with how many. */
export function sweepItems(database: Database, job: number, max: number): number {
  const items = database.run(
    `DELETE FROM job_items WHERE job = ?1 AND position IN
       (SELECT position FROM job_items WHERE job = ?1 ORDER BY position LIMIT ?2)`,
    job,
    max,
  );
  if (items < max) database.run("DELETE FROM job_steps WHERE job = ?", job);
  return items;
}
