import { callSite } from "./call-site.ts";
import type { Column, NumericColumn } from "./column.ts";
import type { Handle } from "./handle.ts";
import type { StreamHandle } from "./stream.ts";

export interface AnomalyHandle extends Handle<"anomaly"> {
  readonly stream: unknown;
}

export interface MadOptions {
  /** Last values of a key that a new one is compared with: 10 to 1,000. Default 100. */
  readonly window?: number;
  /** Median absolute deviations from the median that are still ordinary: more than 0, up to 1,000. Default 6. */
  readonly threshold?: number;
  /** Values of a key before anything is judged: 2 to `window`. Default 20. */
  readonly warmup?: number;
}

export interface RangeOptions {
  /** Smallest ordinary value. Default: open. */
  readonly low?: number;
  /** Largest ordinary value. Default: open. */
  readonly high?: number;
}

/** `mad`: unusual compared with the last values of the same key. `range`: outside a fixed band. */
export type Detect = "mad" | { readonly mad: MadOptions } | { readonly range: RangeOptions };

export interface AnomalyOptions<Result> {
  /** Dotted path of a number in the record. */
  readonly value: NumericColumn<Result>;
  /** Dotted path of the field that splits the series: each of its values is judged by itself. Default: one series. */
  readonly per?: Column<Result>;
  readonly detect: Detect;
}

/** A rule that finds unusual values in the records of a stream. Its name is its key in `anomalies`. */
export function anomaly<Input, Result>(
  stream: StreamHandle<Input, Result>,
  options: AnomalyOptions<Result>,
): AnomalyHandle {
  return { kind: "anomaly", stream, options, site: callSite(anomaly) };
}
