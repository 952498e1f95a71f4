import type { AnomalyValue } from "./detector.ts";

/** `critical`: far out or lasting, by `criticalScore` and `criticalMillis`; an incident that was critical once stays so. */
export type Severity = "warning" | "critical";
export const severities = ["warning", "critical"] as const satisfies readonly Severity[];

/** A score that is critical by itself. For `mad` and `range` it is nine times as far out as where 0.5 begins. */
export const criticalScore = 0.9;
/** From the first to the latest unusual point: what lasts so long is no blip, whatever its scores. */
export const criticalMillis = 15 * 60_000;

/** What one alert is about: the unusual points of one rule and key that follow each other, until it is ordinary again. */
export interface Incident {
  /** `inc_` + hex, derived from the point that opened it. */
  readonly id: string;
  readonly severity: Severity;
  /** Event time of the point that opened it, milliseconds since 1970. */
  readonly openedAt: number;
  /** Event time of its latest unusual point. */
  readonly lastAt: number;
  /** Unusual points so far. */
  readonly points: number;
  readonly worst: WorstPoint;
}

/** The point with the highest score, the first of them. */
export interface WorstPoint {
  readonly time: number;
  /** Dotted path of what is to blame; "" is the number of records. */
  readonly field: string;
  readonly value: AnomalyValue;
  readonly score: number;
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
}

/** What one outcome did to an incident, and how the incident stood after it. */
export interface IncidentChange {
  readonly rule: string;
  readonly key: string;
  readonly incident: Incident;
  readonly opened: boolean;
  /** Became critical. */
  readonly escalated: boolean;
  /** Event time of the point that showed it to be over; null: it goes on. */
  readonly overAt: number | null;
  /** The worst anomaly of it that this outcome found, for people to look at; null when it only ended. */
  readonly anomalyId: string | null;
  /** Why that one was found, in words; null with it. */
  readonly why: string | null;
}
