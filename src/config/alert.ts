import type { Severity } from "../model/incident.ts";
import type { AnomalyHandle } from "./anomaly.ts";
import { callSite } from "./call-site.ts";
import type { DestinationHandle } from "./destination.ts";
import type { Duration } from "./duration.ts";
import type { Handle } from "./handle.ts";

export type AlertHandle = Handle<"alert">;

export interface AlertOptions {
  /** The rule whose anomalies are told. */
  readonly on: AnomalyHandle;
  /** Who is told; at least one. */
  readonly to: readonly DestinationHandle[];
  /** Least time between two notifications of the same series that something began; incidents meanwhile are counted into the next. Default 30 minutes, up to 7 days. */
  readonly cooldown?: Duration;
  /** Whether to tell that it is over, too: those who were told that it began. Default true. */
  readonly recovery?: boolean;
  /** `critical`: told only when it is or becomes critical (a score of 0.9, or 15 minutes without an end). Default `warning`: told always. */
  readonly severity?: Severity;
}

/** Tells somebody of the incidents that a rule finds: once when one begins, once when it becomes critical, once when it is over. */
export function alert(options: AlertOptions): AlertHandle {
  return { kind: "alert", options, site: callSite(alert) };
}
