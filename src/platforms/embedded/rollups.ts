import type { RecordDraft } from "../../model/record.ts";
import type { Database } from "./database.ts";

export const minuteMillis = 60_000;

/** Rollups are kept as long as a record that they count, in steps of an hour: every commit of the hour writes the same expiry. */
const expiryStepMillis = 3_600_000;

export function rollupExpiry(expiresAt: number): number {
  return Math.ceil(expiresAt / expiryStepMillis) * expiryStepMillis;
}

interface Sums {
  count: number;
  min: number;
  max: number;
  sum: number;
}

type Recorder = (draft: Pick<RecordDraft, "time" | "numbers">, first: boolean) => void;

interface FieldRollup {
  readonly stream: number;
  readonly field: string;
  readonly expiresAt: number;
  readonly minutes: Map<number, Sums>;
}

/** Gathers count, min, max and sum per minute over the records stored in one transaction, then writes each minute once. */
export class PendingRollups {
  readonly #fields = new Map<string, FieldRollup>();
  /** Most outcomes of one commit are of one stream and one hour. */
  #last: {
    readonly stream: number;
    readonly fields: readonly string[];
    readonly expiry: number;
    readonly record: Recorder;
  } | null = null;

  /** Adds one record. `first` of the records that one event became: only that one counts as an event (field ""). */
  recorder(stream: number, fields: readonly string[], expiresAt: number): Recorder {
    const expiry = rollupExpiry(expiresAt);
    const last = this.#last;
    if (last?.stream === stream && last.expiry === expiry && sameNames(last.fields, fields)) return last.record;
    const record = this.#recorder(stream, fields, expiry);
    this.#last = { stream, fields, expiry, record };
    return record;
  }

  #recorder(stream: number, fields: readonly string[], expiry: number): Recorder {
    const events = this.#field(stream, "", expiry);
    const numbers = fields.map((field) => this.#field(stream, field, expiry));
    // Records come in the order of their time, so most are of the minute of the one before.
    let minute = Number.NaN;
    let eventSums = emptySums();
    let numberSums: Sums[] = [];
    return (draft, first) => {
      const at = Math.floor(draft.time / minuteMillis);
      if (at !== minute) {
        minute = at;
        eventSums = sumsAt(events, minute);
        numberSums = numbers.map((field) => sumsAt(field, minute));
      }
      if (first) eventSums.count++;
      for (let index = 0; index < numberSums.length; index++) {
        const value = draft.numbers[index] ?? Number.NaN;
        if (!Number.isNaN(value)) addValue(numberSums[index] as Sums, value);
      }
    };
  }

  write(database: Database): void {
    for (const { stream, field, expiresAt, minutes } of this.#fields.values()) {
      for (const [minute, { count, min, max, sum }] of minutes) {
        if (count === 0) continue;
        const numbers = field === "" ? [null, null, null] : [min, max, sum];
        database.run(
          `INSERT INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
             count = count + excluded.count, min = min(min, excluded.min), max = max(max, excluded.max),
             sum = sum + excluded.sum, expires_at = max(expires_at, excluded.expires_at)`,
          stream,
          field,
          minute,
          count,
          ...numbers,
          expiresAt,
        );
      }
    }
  }

  #field(stream: number, field: string, expiresAt: number): FieldRollup {
    const key = `${stream}:${expiresAt}:${field}`;
    let rollup = this.#fields.get(key);
    if (rollup === undefined) {
      rollup = { stream, field, expiresAt, minutes: new Map() };
      this.#fields.set(key, rollup);
    }
    return rollup;
  }
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name, index) => name === right[index]);
}

function sumsAt({ minutes }: FieldRollup, minute: number): Sums {
  let sums = minutes.get(minute);
  if (sums === undefined) {
    sums = emptySums();
    minutes.set(minute, sums);
  }
  return sums;
}

function emptySums(): Sums {
  return { count: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0 };
}

function addValue(sums: Sums, value: number): void {
  sums.count++;
  sums.sum += value;
  if (value < sums.min) sums.min = value;
  if (value > sums.max) sums.max = value;
}
