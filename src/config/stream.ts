import type { StandardSchema, TransformContext } from "../model/definition.ts";
import { callSite } from "./call-site.ts";
import type { AnyColumn, IdentityColumn, InputOf, OutputOf, RecordOf } from "./column.ts";
import type { DestinationHandle } from "./destination.ts";
import type { Duration } from "./duration.ts";
import type { Handle } from "./handle.ts";

/** A stream with the types of what comes in and of the records it becomes. */
export interface StreamHandle<Input = unknown, Result = unknown> extends Handle<"stream"> {
  /** For the compiler only; never set. */
  readonly "~types"?: { readonly input: Input; readonly record: Result };
}

export interface StreamOptions<Schema extends StandardSchema, Returned> {
  /** The contract of every event: any Standard Schema; zod 4 is the one that is compiled, documented and simulated. */
  readonly schema: Schema;
  /** Version of the contract as you announce it, like "2.0.0" (semver.org): a higher major number announces a break to `eventpulse diff`. */
  readonly version?: string;
  /** Dotted path of the field that identifies an event. Default: the `id` of a CloudEvent, else every event is new. */
  readonly key?: IdentityColumn<InputOf<Schema>>;
  /** Dotted path of the event's time: RFC 3339 text or milliseconds since 1970. Default: the `time` of a CloudEvent, else when it arrived. */
  readonly time?: IdentityColumn<InputOf<Schema>>;
  /** How long things are kept, 1 hour to 10 years. Default 7 days each. */
  readonly retention?:
    | Duration
    | { readonly raw?: Duration; readonly records?: Duration; readonly failures?: Duration };
  /** Dotted paths of personal data: their values are shown in records only. */
  readonly pii?: readonly AnyColumn<InputOf<Schema>>[];
  /**
   * Makes of one event one result, several (an array) or none (null). It gets the event as it was sent, with fields that
   * the schema does not name, unless the schema changes values (defaults, transforms); then it gets the schema's output.
   * The same event must always give the same results: it may run again.
   */
  readonly transform?: (event: OutputOf<Schema>, context: TransformContext) => Returned;
  /** Who is told when events fail. */
  readonly owner?: readonly DestinationHandle[];
}

/** A kind of event: what it must look like, what becomes of it, how long it is kept. Its name is its key in `streams`. */
export function stream<Schema extends StandardSchema, Returned = OutputOf<Schema>>(
  options: StreamOptions<Schema, Returned>,
): StreamHandle<InputOf<Schema>, RecordOf<Returned>> {
  return { kind: "stream", options, site: callSite(stream) };
}
