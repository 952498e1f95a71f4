import { type ErrorDetail, EventPulseError } from "../../model/error.ts";
import type { EventAttributes } from "./cloud-event.ts";

/** One event as it lies in a body. */
export interface ReadEvent {
  readonly index: number;
  /** The bytes as sent: a view into the body. */
  readonly original: Uint8Array;
  /** The parsed event (CloudEvents: its data). Meaningless when `error` is set. */
  readonly data: unknown;
  /** `data` as JSON text without line breaks, where that is at hand. */
  readonly text?: string;
  /** CloudEvents attributes; null for plain events. */
  readonly attributes: EventAttributes | null;
  /** Why it cannot be read; it then fails alone. */
  readonly errors: readonly ErrorDetail[] | null;
}

/** Throws EVENTS_TOO_MANY. */
export function tooMany(events: number, eventsMax: number): void {
  if (events > eventsMax) {
    throw new EventPulseError(
      "EVENTS_TOO_MANY",
      `The request holds more than ${eventsMax} events; send them in several.`,
    );
  }
}
