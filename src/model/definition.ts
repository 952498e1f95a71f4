import type { DetectorOptions } from "./detector.ts";
import type { Door } from "./glossary.ts";
import type { Severity } from "./incident.ts";
import type { Destination } from "./notification.ts";
import type { ProjectRecipe } from "./recipe.ts";

/**
 * The part of Standard Schema 1 (https://standardschema.dev) that EventPulse uses, copied from the specification as it
 * recommends, so that any library that implements it fits.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a transform may know besides the event. Pure: the same event gives the same context on every attempt. */
export interface TransformContext {
  readonly stream: string;
  readonly tenant: string;
  readonly door: Door;
  /** When the event was accepted, milliseconds since 1970. */
  readonly receivedAt: number;
  /** The id that identifies the event. */
  readonly id: string;
  /** CloudEvents attributes, empty for plain events. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Milliseconds each thing is kept. */
export interface Retention {
  readonly raw: number;
  readonly records: number;
  readonly failures: number;
}

/** A stream with its types erased; `stream()` in the public API keeps them for the compiler. */
export interface StreamDefinition {
  readonly kind: "stream";
  /** Given by `defineConfig` from the key in `streams`. */
  readonly name: string;
  readonly schema: StandardSchema;
  /** The version of the contract that its owner announces, as semver.org writes it; null: none. */
  readonly version: string | null;
  /** Dotted path of the field that identifies an event; null: CloudEvents source and id, else an id assigned at acceptance. */
  readonly key: string | null;
  /** Dotted path of the event time (RFC 3339 text, or a number of milliseconds since 1970); null: CloudEvents `time`, else the received time. */
  readonly time: string | null;
  readonly retention: Retention;
  /** Dotted paths of personal data: masked wherever a value is shown outside a record. */
  readonly pii: readonly string[];
  /** One event to one result, several (an array) or none (null). */
  readonly transform: ((event: unknown, context: TransformContext) => unknown) | null;
  /** Who is told when events of this stream fail. */
  readonly owner: readonly Destination[];
}

export interface AnomalyDefinition {
  readonly kind: "anomaly";
  readonly name: string;
  readonly stream: string;
  /** Dotted paths of what is judged: one field, several (`multivariate`), or none where it is the whole record (`rate`, `drift`). */
  readonly fields: readonly string[];
  /** Field of the record that splits the series; null: one series. */
  readonly per: string | null;
  readonly detect: DetectorOptions;
}

export interface AlertDefinition {
  readonly kind: "alert";
  /** Position in the config, for messages. */
  readonly name: string;
  readonly anomaly: string;
  readonly to: readonly Destination[];
  readonly cooldownMillis: number;
  /** Whether it tells that an incident is over. */
  readonly recovery: boolean;
  /** `critical`: incidents are told when they are or become critical, others not at all. */
  readonly severity: Severity;
}

export type SourceDefinition = { readonly kind: "http" } | SimulatorDefinition;

/** Makes plausible events from a stream's schema on a schedule, through the same acceptance as every other door. */
export interface SimulatorDefinition {
  readonly kind: "simulator";
  readonly stream: string;
  readonly everyMillis: number;
  /** Events each time. */
  readonly count: number;
  readonly seed: number;
  /** Probability of each fault per event. `late` events are up to an hour old; a `spike` multiplies one number by 10. */
  readonly faults: {
    readonly invalid: number;
    readonly duplicate: number;
    readonly late: number;
    readonly spike: number;
  };
}

/** A whole config, checked. What the platforms run. */
export interface Project {
  readonly name: string;
  readonly streams: ReadonlyMap<string, StreamDefinition>;
  readonly anomalies: readonly AnomalyDefinition[];
  readonly alerts: readonly AlertDefinition[];
  readonly sources: readonly SourceDefinition[];
  /** By name. */
  readonly recipes: ReadonlyMap<string, ProjectRecipe>;
}
