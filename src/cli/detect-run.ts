import type { Detector } from "../model/detector.ts";
import { countOf } from "./count-of.ts";
import type { SeriesRow } from "./series-rows.ts";

/** What `eventpulse detect --json` prints of a row. */
export interface JudgedRow {
  readonly timestamp: string;
  readonly value: number | null;
  /** 0 (ordinary, or no value) to 1 (certain). */
  readonly score: number;
  readonly anomalous: boolean;
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
  /** Null where nothing is anomalous. */
  readonly why: string | null;
}

/** A detector over one series, and what it costs. */
export class DetectRun {
  readonly #detector: Detector;
  #state: unknown = null;
  #judgeMillis = 0;
  #lastTime = Number.NEGATIVE_INFINITY;
  #missing = 0;
  #outOfOrder = 0;
  #finds = 0;
  #rows = 0;

  constructor(detector: Detector) {
    this.#detector = detector;
  }

  get rows(): number {
    return this.#rows;
  }

  get finds(): number {
    return this.#finds;
  }

  judge({ timestamp, time, value }: SeriesRow): JudgedRow {
    this.#rows++;
    if (time < this.#lastTime) this.#outOfOrder++;
    this.#lastTime = time;
    if (value === null) {
      this.#missing++;
      return { timestamp, value, score: 0, anomalous: false, expectedLow: null, expectedHigh: null, why: null };
    }
    const startedAt = performance.now();
    const { verdict, state } = this.#detector.judge({ time, value, falsePositives: 0 }, this.#state);
    this.#judgeMillis += performance.now() - startedAt;
    this.#state = state;
    const { score, anomalous, expectedLow = null, expectedHigh = null } = verdict;
    if (anomalous) this.#finds++;
    return { timestamp, value, score, anomalous, expectedLow, expectedHigh, why: anomalous ? verdict.why : null };
  }

  summary(): string {
    const judged = this.#rows - this.#missing;
    const counts = [
      countOf(this.#rows, "row"),
      countOf(this.#finds, "find"),
      ...(this.#missing === 0 ? [] : [`${countOf(this.#missing, "row")} without a value`]),
      ...(this.#outOfOrder === 0 ? [] : [`${countOf(this.#outOfOrder, "row")} earlier than the one before`]),
    ];
    if (judged === 0) return `${counts.join(", ")}.`;
    const microseconds = ((this.#judgeMillis * 1000) / judged).toFixed(1);
    const bytes = Buffer.byteLength(JSON.stringify(this.#state));
    return `${counts.join(", ")}; ${microseconds} µs a point, ${countOf(bytes, "byte")} of state.`;
  }
}
