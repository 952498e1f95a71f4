import { type Connection, isObject } from "../client/connection.ts";
import { listPages } from "../client/list-pages.ts";
import type { AnomalyDefinition } from "../model/definition.ts";
import { EventPulseError } from "../model/error.ts";
import {
  Backtest,
  type BacktestFind,
  type BacktestRecord,
  type BacktestSummary,
} from "../pipeline/process/rules/backtest.ts";
import { countOf } from "./count-of.ts";
import { progressBar } from "./progress-bar.ts";
import { recordPages } from "./record-pages.ts";
import { type Resource, readResource } from "./resource.ts";

/** Event time, RFC 3339 in UTC; `to` is exclusive. */
export interface BacktestRange {
  readonly from: string;
  readonly to: string;
}

/** What comes of a backtest beside what is stored. */
export interface BacktestComparison extends BacktestSummary {
  /** Finds that are not stored. */
  readonly new: number;
  /** Stored, but not found. */
  readonly gone: number;
  /** False: it was interrupted, and all this is about the records up to then. */
  readonly complete: boolean;
}

/** Is told of everything as soon as it is known: finds in the order in which processing would make them, then what is gone. */
export interface BacktestOutput {
  find(find: BacktestFind, stored: boolean): Promise<void>;
  gone(anomaly: Resource): Promise<void>;
}

/**
 * Runs a rule over the stored records of a range, by event time, and compares what it finds with what is stored. `stopped`
 * ends it with the records that are read by then.
 */
export async function runBacktest(
  connection: Connection,
  rule: AnomalyDefinition,
  range: BacktestRange,
  output: BacktestOutput,
  stopped: AbortSignal,
): Promise<BacktestComparison> {
  const backtest = new Backtest(rule);
  const stored = new Map<string, Resource>();
  const found = new Set<string>();
  const from = Date.parse(range.from);
  let until = from;
  let fresh = 0;
  const bar = progressBar();
  const query = { ...range, order: "asc" };
  const report = async (finds: readonly BacktestFind[]) => {
    if (finds.length > 0) bar.clear();
    for (const find of finds) {
      const isStored = stored.has(find.id);
      if (isStored) found.add(find.id);
      else fresh++;
      await output.find(find, isStored);
    }
  };
  try {
    for await (const anomaly of storedAnomalies(connection, rule, range, stopped)) stored.set(anomaly.id, anomaly);
    for await (const page of recordPages(connection, rule.stream, query, Number.POSITIVE_INFINITY, stopped)) {
      const records = page.map(readRecord);
      await report(await backtest.add(records));
      until = records.at(-1)?.time ?? until;
      const text = `${countOf(backtest.summary().records, "record")}, up to ${new Date(until).toISOString()}`;
      bar.update(until - from, Date.parse(range.to) - from, text);
    }
  } catch (error) {
    if (!stopped.aborted) throw error;
  } finally {
    bar.clear();
  }
  const complete = !stopped.aborted;
  // What has not happened yet is no silence.
  await report(backtest.end(complete ? Math.min(Date.parse(range.to), Date.now()) : until));
  const gone = [...stored.values()].filter(({ id, fields }) => {
    return !found.has(id) && (complete || Date.parse(String(fields["time"])) <= until);
  });
  for (const anomaly of gone) await output.gone(anomaly);
  return { ...backtest.summary(), new: fresh, gone: gone.length, complete };
}

async function* storedAnomalies(
  connection: Connection,
  { name, stream }: AnomalyDefinition,
  range: BacktestRange,
  signal: AbortSignal,
): AsyncGenerator<Resource, void> {
  for await (const page of listPages(connection, "/v1/anomalies", { rule: name, stream, ...range }, { signal })) {
    for (const value of page) yield readResource(value, "anomaly");
  }
}

function readRecord(json: string): BacktestRecord {
  const record: unknown = JSON.parse(json);
  if (isObject(record) && isObject(record["data"])) {
    const { id, time, receivedAt, data } = record;
    return { id: String(id), time: Date.parse(String(time)), receivedAt: Date.parse(String(receivedAt)), data };
  }
  throw new EventPulseError("ANSWER_INVALID", "The server's answer is no list of records.");
}
