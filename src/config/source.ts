import { callSite } from "./call-site.ts";
import type { Duration } from "./duration.ts";
import type { Handle } from "./handle.ts";
import type { StreamHandle } from "./stream.ts";

export type HttpHandle = Handle<"http">;
export interface SimulatorHandle extends Handle<"simulator"> {
  readonly stream: unknown;
}
/** A way in. */
export type SourceHandle = HttpHandle | SimulatorHandle;

export interface SimulatorOptions {
  /** Time between two batches: 1 second to 1 day. */
  readonly every: Duration;
  /** Events in a batch: 1 to 10,000. Default 10. */
  readonly count?: number;
  /** The same seed gives the same choices. A whole number from 0. Default 1. */
  readonly seed?: number;
  /** Probability of each fault per event, 0 to 1. Default 0. */
  readonly faults?: {
    /** One field is missing or has a wrong type. */
    readonly invalid?: number;
    /** The event comes twice. */
    readonly duplicate?: number;
    /** The event's time is up to an hour old. */
    readonly late?: number;
    /** One number is ten times as large. */
    readonly spike?: number;
  };
}

/** The HTTP API takes events for every stream. */
export function http(): HttpHandle {
  return { kind: "http", options: {}, site: callSite(http) };
}

/** Makes plausible events from a stream's schema on a schedule. They come in by the same door as all others. */
export function simulator(stream: StreamHandle, options: SimulatorOptions): SimulatorHandle {
  return { kind: "simulator", stream, options, site: callSite(simulator) };
}
