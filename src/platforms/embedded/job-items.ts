import type { SQLInputValue } from "node:sqlite";
import { decodeCursor, encodeCursor } from "../../model/cursor.ts";
import { assert } from "../../model/error.ts";
import type { ItemResult, JobItem } from "../../model/job.ts";
import { limits } from "../../model/limits.ts";
import type { Page } from "../../model/page.ts";
import type { JobItemQuery } from "../../ports/job-log.ts";
import type { Database } from "./database.ts";

/** Items in one row of `job_items`: about 40 KB of ids. */
const sliceItems = 1_000;

/** Targets from one position on, without gaps: `job_items.targets`, as JSON. */
type SliceTargets = readonly string[];
/** What became of the items from one position on, without gaps: `job_steps.results`, as JSON. */
type StepResults = readonly (readonly [result: ItemResult, detail: JobItem["detail"], recordId: JobItem["recordId"]])[];

/**
 * The frozen list of one job, and what became of it. Items are done in their order, so what is left is all behind the last
 * step. Both are kept by the thousand: to write a row for each result was 2.4 us of the 63 that a replayed failure took, and is 0.4.
 */
export class JobItems {
  readonly #database: Database;
  readonly #job: number;
  /** Read last. */
  #slice: { readonly first: number; readonly targets: SliceTargets } = { first: 0, targets: [] };

  /** `job`: its number. */
  constructor(database: Database, job: number) {
    this.#database = database;
    this.#job = job;
  }

  /** Keeps the first column of all that a query answers with, in its order; answers with how many. For a text of endless variants. */
  freeze(sql: string, ...values: readonly SQLInputValue[]): number {
    const query = this.#database.prepare(sql);
    query.setReturnArrays(true);
    let count = 0;
    let targets: string[] = [];
    const write = () => {
      const first = count - targets.length + 1;
      this.#database.run("INSERT INTO job_items VALUES (?, ?, ?)", this.#job, first, JSON.stringify(targets));
      targets = [];
    };
    for (const row of query.iterate(...values) as Iterable<unknown> as Iterable<readonly [target: string]>) {
      targets.push(row[0]);
      count++;
      if (targets.length === sliceItems) write();
    }
    if (targets.length > 0) write();
    return count;
  }

  /** Up to `max` items without a result, ascending. */
  todo(max: number): JobItem[] {
    return this.#todoAfter(this.#lastDone(), max);
  }

  /** Writes what became of the first items that had no result. */
  finish(items: readonly (JobItem & { readonly result: ItemResult })[]): void {
    const first = this.#lastDone() + 1;
    const inOrder = items.every(({ position }, index) => position === first + index);
    assert(inOrder, "a step does the first of the items that are left, in their order");
    if (items.length === 0) return;
    const results: StepResults = items.map(({ result, detail, recordId }) => [result, detail, recordId]);
    const last = first + items.length - 1;
    this.#database.run("INSERT INTO job_steps VALUES (?, ?, ?, ?)", this.#job, last, first, JSON.stringify(results));
  }

  /** Ascending by position. Throws CURSOR_INVALID. */
  page({ result, limit, cursor }: JobItemQuery): Page<JobItem> {
    const after = cursor === null ? 0 : Number(decodeCursor("items", cursor, ["number"])[0]);
    const rowsMax = Math.min(Math.max(1, limit), limits.pageRowsMax);
    const rows = result === "todo" ? [] : this.#doneAfter(after, result, rowsMax + 1);
    if (result === null || result === "todo") {
      rows.push(...this.#todoAfter(Math.max(after, this.#lastDone()), rowsMax + 1 - rows.length));
    }
    const last = rows.length > rowsMax ? rows[rowsMax - 1] : undefined;
    return { rows: rows.slice(0, rowsMax), next: last === undefined ? null : encodeCursor("items", [last.position]) };
  }

  /** Removes up to `max` rows of a job that is over; answers with how many. */
  sweep(max: number): number {
    const remove = (table: string, key: string, rows: number) =>
      this.#database.run(
        `DELETE FROM ${table} WHERE job = ?1 AND ${key} IN (SELECT ${key} FROM ${table} WHERE job = ?1 LIMIT ?2)`,
        this.#job,
        rows,
      );
    const slices = remove("job_items", "first_position", max);
    return slices + remove("job_steps", "last_position", max - slices);
  }

  /** Position of the last item with a result; 0 when none has one. */
  #lastDone(): number {
    const sql = "SELECT max(last_position) AS position FROM job_steps WHERE job = ?";
    return this.#database.get<{ position: number | null }>(sql, this.#job)?.position ?? 0;
  }

  #todoAfter(after: number, max: number): JobItem[] {
    const rows: JobItem[] = [];
    for (let position = after + 1; rows.length < max; position++) {
      const target = this.#target(position);
      if (target === null) break;
      rows.push({ position, target, result: null, detail: null, recordId: null });
    }
    return rows;
  }

  /** The first `max` items behind `after` with a result: this one, or any. */
  #doneAfter(after: number, wanted: ItemResult | null, max: number): JobItem[] {
    const rows: JobItem[] = [];
    for (let done = after; rows.length < max; ) {
      const step = this.#database.get<{ first: number; last: number; results: string }>(
        `SELECT first_position AS first, last_position AS last, results FROM job_steps
           WHERE job = ? AND last_position > ? ORDER BY last_position LIMIT 1`,
        this.#job,
        done,
      );
      if (step === null) break;
      for (const [index, [result, detail, recordId]] of (JSON.parse(step.results) as StepResults).entries()) {
        const position = step.first + index;
        if (position <= after || rows.length === max || (wanted !== null && wanted !== result)) continue;
        const target = this.#target(position);
        if (target !== null) rows.push({ position, target, result, detail, recordId });
      }
      done = step.last;
    }
    return rows;
  }

  /** Null behind the last one, and where retention has begun to remove the job. */
  #target(position: number): string | null {
    const first = position - ((position - 1) % sliceItems);
    if (this.#slice.first !== first) {
      const sql = "SELECT targets FROM job_items WHERE job = ? AND first_position = ?";
      const row = this.#database.get<{ targets: string }>(sql, this.#job, first);
      this.#slice = { first, targets: row === null ? [] : (JSON.parse(row.targets) as SliceTargets) };
    }
    return this.#slice.targets[position - first] ?? null;
  }
}
