import type { Door } from "./glossary.ts";

/** How the events lie in the body of a raw object. */
export type RawFormat = "json" | "ndjson" | "csv" | "cloudevent-binary" | "cloudevent" | "cloudevent-batch";
export const rawFormats = [
  "json",
  "ndjson",
  "csv",
  "cloudevent-binary",
  "cloudevent",
  "cloudevent-batch",
] as const satisfies readonly RawFormat[];

/** What is known of a raw object besides its bytes. Small: it is stored beside every one. */
export interface RawMeta {
  readonly tenant: string;
  readonly stream: string;
  readonly door: Door;
  readonly format: RawFormat;
  /** When the last byte had arrived, in milliseconds since 1970. */
  readonly receivedAt: number;
  /** Content type as sent. */
  readonly contentType: string;
  /** Headers worth keeping with a failure: `content-type`, `user-agent`, `traceparent`, `ce-*`; never credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Prefix of the ids of events that bring none: `${idSeed}-${index}`. Assigned at acceptance, so a retry is the same event. */
  readonly idSeed: string;
  /** True when `idSeed` comes from an Idempotency-Key: the same request sent again is then the same events. */
  readonly idSeedFromClient: boolean;
  /** Number of events in the body, unreadable ones included. */
  readonly events: number;
  /** Who sent it: the name of the key, or `anonymous`. */
  readonly principal: string;
}

/** An immutable batch of accepted events, byte for byte as they arrived (after Content-Encoding is removed). */
export interface RawObject {
  /** `raw/{stream}/{yyyy}/{mm}/{dd}/{id}`; sorts by time within a stream. */
  readonly key: string;
  readonly meta: RawMeta;
  readonly body: Uint8Array;
}

/** What a door hands over to be made durable. */
export type RawDraft = Pick<RawObject, "meta" | "body">;
