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
  /** Least time between two notifications of the same series; what happens meanwhile is counted into the next. Default 30 minutes, up to 7 days. */
  readonly cooldown?: Duration;
}

/** Tells somebody when a rule finds an anomaly. */
export function alert(options: AlertOptions): AlertHandle {
  return { kind: "alert", options, site: callSite(alert) };
}
