import { randomBytes } from "node:crypto";
import { type ErrorCode, type ErrorDetail, EventPulseError, errorCodes } from "../../model/error.ts";
import type { Door } from "../../model/glossary.ts";
import { identityHash } from "../../model/identity.ts";
import { limits } from "../../model/limits.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import type { RawLog } from "../../ports/raw-log.ts";
import type { Contract } from "../process/contract.ts";
import { csvColumns } from "./csv.ts";
import { rawFormat } from "./raw-format.ts";
import type { ReadEvent } from "./read-event.ts";
import { readEvents } from "./read-events.ts";

/** One request (or file) full of events, already read and decompressed. */
export interface AcceptRequest {
  readonly tenant: string;
  readonly contract: Contract;
  readonly door: Door;
  /** As sent, with parameters; null when there was none. */
  readonly contentType: string | null;
  /** Lower-case names. Only what is worth keeping with a failure is kept; credentials never are. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly principal: string;
  /** The same key from the same principal makes the same events: those without an identity get one derived from it. */
  readonly idempotencyKey: string | null;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

export interface InvalidEvent {
  readonly index: number;
  readonly errors: readonly ErrorDetail[];
}

/** The answer to an accepted request. `accepted` counts every event that is now durable, the invalid ones too: they wait in the failure log. */
export interface Acceptance {
  readonly rawKey: string;
  readonly accepted: number;
  /** How many of them are set aside; the first `limits.invalidListedMax` are listed. */
  readonly invalidCount: number;
  readonly invalid: readonly InvalidEvent[];
}

/** A request that was read: its events, and what would be made durable. */
export interface ReadRequestResult {
  readonly meta: RawMeta;
  readonly events: readonly ReadEvent[];
}

/**
 * Reads a request, says which events will be set aside, and makes all of it durable. Throws EventPulseError with a 4xx code,
 * and then has kept nothing, when the body as a whole or every single event in it cannot be read; and what
 * `RawLog.append` throws. An event that can be read but breaks its contract never refuses a request: it is accepted and set aside.
 */
export async function accept(
  ports: { readonly raw: Pick<RawLog, "append"> },
  request: AcceptRequest,
): Promise<Acceptance> {
  const { meta, ...verdict } = await judge(request);
  const rawKey = await ports.raw.append({ meta, body: request.body });
  return { rawKey, ...verdict };
}

/** Apart from `accept`, so that the parsed events are garbage before the flush: kept until after it they were a third of what the garbage collector copied. */
async function judge(request: AcceptRequest): Promise<Omit<Acceptance, "rawKey"> & { readonly meta: RawMeta }> {
  const { meta, events } = readRequest(request);
  const invalid: InvalidEvent[] = [];
  let invalidCount = 0;
  for (const event of events) {
    const verdict = event.errors ?? contractErrors(request.contract, event.data);
    const errors = verdict instanceof Promise ? await verdict : verdict;
    if (errors === null) continue;
    invalidCount++;
    if (invalid.length < limits.invalidListedMax) invalid.push({ index: event.index, errors });
  }
  return { meta, accepted: events.length, invalidCount, invalid };
}

/** The reading half of `accept`, without keeping anything. */
export function readRequest(request: AcceptRequest): ReadRequestResult {
  const format = rawFormat(request.contentType, request.headers, request.door);
  const events = readEvents({
    format,
    headers: request.headers,
    body: request.body,
    eventsMax: request.door === "upload" ? limits.eventsPerUploadMax : limits.eventsPerRequestMax,
    csvColumns: csvColumns(format === "csv" ? request.contract.jsonSchema : null),
  });
  if (events.length > 0) refuseUnreadable(events);
  const { tenant, contract, principal, idempotencyKey } = request;
  const idSeedFromClient = idempotencyKey !== null;
  return {
    events,
    meta: {
      tenant,
      stream: contract.stream.name,
      door: request.door,
      format,
      receivedAt: request.receivedAt,
      contentType: request.contentType ?? "application/json",
      headers: keptHeaders(request.headers),
      idSeed: idSeedFromClient ? seedOf(tenant, contract.stream.name, principal, idempotencyKey) : randomSeed(),
      idSeedFromClient,
      events: events.length,
      principal,
    },
  };
}

/** Null when the event fits. */
function contractErrors(
  contract: Contract,
  data: unknown,
): readonly ErrorDetail[] | null | Promise<readonly ErrorDetail[] | null> {
  if (!isObject(data)) return notObject;
  const judgement = contract.judge(data);
  // Awaiting a value that is no promise costs a turn of the event loop for every event.
  if (judgement instanceof Promise) return judgement.then((late) => (late.ok ? null : late.errors));
  return judgement.ok ? null : judgement.errors;
}

export const notObject: readonly ErrorDetail[] = [
  { pointer: "", code: "EVENT_NOT_OBJECT", detail: "An event is a JSON object: {…}." },
];

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** When no event can be read the sender surely meant something else: a 4xx now is worth more than a pile of failures. */
function refuseUnreadable(events: readonly ReadEvent[]): void {
  const first = events[0]?.errors?.[0];
  if (first === undefined || !events.every((event) => event.errors !== null)) return;
  const code = first.code in errorCodes ? (first.code as ErrorCode) : "BODY_INVALID";
  const errors = events.flatMap((event) => event.errors ?? []).slice(0, limits.errorsPerEventMax);
  const what = events.length === 1 ? "The event" : `None of the ${events.length} events`;
  const verb = events.length === 1 ? "cannot be read" : "can be read";
  throw new EventPulseError(code, `${what} ${verb}: ${first.detail}`, { errors });
}

const keptHeader = /^(content-type|user-agent|traceparent|tracestate|ce-[a-z0-9]+)$/;

function keptHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    if (keptHeader.test(name)) kept[name] = headers[name] as string;
  }
  return kept;
}

const seedBytes = 7;
let entropy = Buffer.alloc(0);

/** 56 random bits. Drawn from the system 500 at a time: one call each was 4% of the time of a request. */
function randomSeed(): string {
  if (entropy.length < seedBytes) entropy = randomBytes(500 * seedBytes);
  const seed = entropy.toString("hex", 0, seedBytes);
  entropy = entropy.subarray(seedBytes);
  return seed;
}

function seedOf(tenant: string, stream: string, principal: string, idempotencyKey: string): string {
  return Buffer.from(identityHash(tenant, stream, principal, idempotencyKey).bytes10).toString("hex", 0, 7);
}
