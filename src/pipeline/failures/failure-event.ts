import { type ErrorDetail, EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { RawObject } from "../../model/raw-object.ts";
import type { FailureWithPayload, LoadedFailure } from "../../ports/failure-log.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import { scanJson } from "../ingest/scan-json.ts";
import type { Contract } from "../process/contract.ts";
import { payloadObject } from "../process/payload-object.ts";
import { eventsOf, ownEvent } from "../process/process-raw.ts";

/** What it takes to process a failure again. */
export interface FailureEvent {
  /** The raw object it came in; when that is gone, one made of its payload. */
  readonly object: RawObject;
  /** As acceptance saw it; `data` is the caller's own. Has `errors` when it cannot be read (any more). */
  readonly event: ReadEvent;
}

/**
 * The event of a failure. From the raw object while there is one (null: it is gone), which knows what the payload alone does
 * not: the header of a CSV file, the assigned id. Cheap for many failures of one object: its events are read once for as long as the
 * caller holds on to that same `object`, and the payload is not asked for. Never throws for what the bytes are.
 */
export function failureEvent(found: FailureWithPayload, object: RawObject | null, contract: Contract): FailureEvent {
  const { failure } = found;
  const source = object ?? payloadObject(failure, found.payload);
  try {
    if (object === null) return { object: source, event: eventAlone(source, contract) };
    const [event] = eventsOf(object, failure.rawIndex, contract);
    return { object, event: ownEvent(event as ReadEvent) };
  } catch (error) {
    if (!(error instanceof EventPulseError)) throw error;
    const errors = [{ pointer: "", code: error.code, detail: error.message }];
    const index = object === null ? 0 : failure.rawIndex;
    return { object: source, event: { index, original: found.payload, data: null, attributes: null, errors } };
  }
}

/**
 * The same for a failure of which only the head is there: the rest is asked for where its object is not enough. `data` may be what others
 * have, too. Null when the failure is gone.
 */
export function loadedEvent(found: LoadedFailure, object: RawObject | null, contract: Contract): FailureEvent | null {
  const event = object && eventInside(object, found.head.rawIndex, contract);
  if (object !== null && event !== null) return { object, event };
  const whole = found.whole();
  return whole && failureEvent(whole, object, contract);
}

function eventInside(object: RawObject, index: number, contract: Contract): ReadEvent | null {
  try {
    return eventsOf(object, index, contract)[0] ?? null;
  } catch (error) {
    if (!(error instanceof EventPulseError)) throw error;
    return null;
  }
}

function eventAlone(source: RawObject, contract: Contract): ReadEvent {
  const { body, meta } = source;
  if (meta.format === "csv") {
    const detail = "The file it came from is gone, and with it the names of its columns.";
    throw new EventPulseError("OBJECT_MISSING", detail);
  }
  // In brackets, because an event that is a list must not be taken for a list of events.
  const listed = Buffer.concat([Buffer.from("["), body, Buffer.from("]")]);
  const [event, ...others] = body.length === 0 ? [] : eventsOf({ ...source, body: listed }, null, contract);
  if (event !== undefined && others.length === 0) return event;
  throw new EventPulseError("JSON_INVALID", "The payload is not the JSON of one event.");
}

/**
 * The same event with other data, a JSON value that nobody else has: the data as JSON text is what it now consists of. It has
 * `errors` when it has become larger or deeper than an event may be, and then fails like one that was sent so.
 */
export function mended(event: ReadEvent, data: unknown): ReadEvent {
  const text = JSON.stringify(data);
  const original = Buffer.from(text);
  return { ...event, original, data, text, errors: limitErrors(original) };
}

function limitErrors(original: Uint8Array): readonly ErrorDetail[] | null {
  if (original.length > limits.eventBytesMax) {
    const detail = `The mended event has ${original.length} bytes; the limit is ${limits.eventBytesMax}.`;
    return [{ pointer: "", code: "EVENT_TOO_LARGE", detail }];
  }
  if (!scanJson(original, 0, original.length).tooDeep) return null;
  const detail = `The mended event is nested more than ${limits.jsonDepthMax} levels deep.`;
  return [{ pointer: "", code: "JSON_TOO_DEEP", detail }];
}
