import type { StreamDefinition } from "../../model/definition.ts";
import type { ErrorDetail } from "../../model/error.ts";
import type { IdentityPaths } from "./identify.ts";

/** What a contract says of one event. `value` is what the transform gets: the event as sent unless the schema changes values. */
export type Judgement =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly errors: readonly ErrorDetail[] };

/** A stream's schema, compiled once and then asked for every event. */
export interface Contract {
  readonly stream: StreamDefinition;
  /** Changes when the schema does: 12 hex digits of a hash over the JSON Schema (over the vendor and name when there is none). */
  readonly version: string;
  /** The contract as JSON Schema 2020-12 (input side); null when the schema's library cannot tell. */
  readonly jsonSchema: Readonly<Record<string, unknown>> | null;
  /** Where its events say who they are. */
  readonly identity: IdentityPaths;
  /** Judges one parsed event. Synchronous on the fast path; a promise only when the schema's own library is asynchronous. */
  judge(event: unknown): Judgement | Promise<Judgement>;
}
