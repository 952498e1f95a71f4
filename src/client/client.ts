import type { Column } from "../config/column.ts";
import type { Config, EventOf, RecordIn } from "../config/define-config.ts";
import type { Anomaly } from "../model/anomaly.ts";
import { EventPulseError } from "../model/error.ts";
import type { Failure, FailureClass, FailureState } from "../model/failure.ts";
import type { Balance } from "../model/outcome.ts";
import type { ConditionOperator, Order } from "../model/page.ts";
import { type Connection, type ConnectOptions, connect, isObject } from "./connection.ts";
import { listPages } from "./list-pages.ts";
import { live } from "./live.ts";
import { type SendOptions, type SendResult, sendEvents } from "./send-events.ts";

/** A time in a question: a Date, milliseconds since 1970, or RFC 3339 text. */
export type Time = Date | number | string;

/** A record with the type that its stream's transform gives it. Times are RFC 3339, UTC. */
export interface ClientRecord<Data> {
  readonly id: string;
  readonly stream: string;
  readonly time: string;
  readonly receivedAt: string;
  readonly eventId: string | null;
  readonly attributes: Readonly<Record<string, string>> | null;
  readonly data: Data;
  readonly rawKey: string;
  readonly rawIndex: number;
}

type FailureTimes = "firstSeenAt" | "lastSeenAt" | "expiresAt";
/** A failure; times are RFC 3339, UTC. */
export type ClientFailure = Omit<Failure, "tenant" | FailureTimes> & { readonly [Name in FailureTimes]: string };
/** An anomaly; its time is RFC 3339, UTC. */
export type ClientAnomaly = Omit<Anomaly, "time"> & { readonly time: string };

export interface RecordsQuery<Data> {
  /** Event time, inclusive. */
  readonly from?: Time;
  /** Event time, exclusive. */
  readonly to?: Time;
  /** By event time. Default `desc`. */
  readonly order?: Order;
  /** By dotted path into the data; all must hold: `{ total: { gte: 100 } }`. */
  readonly where?: {
    readonly [Field in Column<Data>]?: { readonly [Operator in ConditionOperator]?: string | number | boolean };
  };
  /** Records in all. Default: all there are. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface FailuresQuery {
  readonly stream?: string;
  readonly state?: FailureState;
  readonly class?: FailureClass;
  readonly code?: string;
  readonly fingerprint?: string;
  /** Last seen, inclusive and exclusive. */
  readonly from?: Time;
  readonly to?: Time;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export type ClientLiveMessage<Data> =
  | { readonly kind: "record"; readonly data: ClientRecord<Data> }
  | { readonly kind: "failure"; readonly data: ClientFailure }
  | { readonly kind: "anomaly"; readonly data: ClientAnomaly }
  | { readonly kind: "skipped"; readonly data: { readonly count: number } };

type StreamName<Of extends Config> = keyof NonNullable<Of["~streams"]> & string;

/**
 * One EventPulse, typed by its config. Every method throws EventPulseError with the code of the API's problem, and
 * SERVER_UNREACHABLE when nothing answers in spite of the tries.
 */
export interface Client<Of extends Config> {
  /**
   * Sends events in batches, several at a time, compressed, each batch with one Idempotency-Key for all its tries. Resolves
   * when all are answered for; `items` names those that are invalid.
   */
  send<Name extends StreamName<Of>>(
    stream: Name,
    events: Iterable<EventOf<Of, Name>> | AsyncIterable<EventOf<Of, Name>>,
    options?: Pick<SendOptions, "signal" | "concurrency" | "onProgress" | "onInvalid">,
  ): Promise<SendResult>;
  /** Records, page by page as they are asked for. */
  records<Name extends StreamName<Of>>(
    stream: Name,
    query?: RecordsQuery<RecordIn<Of, Name>>,
  ): AsyncIterable<ClientRecord<RecordIn<Of, Name>>>;
  /** What is committed from now on, for ever, over broken lines; `signal` ends it. */
  live<Name extends StreamName<Of>>(
    stream: Name,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<ClientLiveMessage<RecordIn<Of, Name>>>;
  /** Failures, the latest first. */
  failures(query?: FailuresQuery): AsyncIterable<ClientFailure>;
  /** The bytes of a failure as they were sent. */
  failurePayload(id: string): Promise<Uint8Array>;
  retryFailure(id: string): Promise<ClientFailure>;
  /** `reason` is kept with it. */
  discardFailure(id: string, reason: string): Promise<ClientFailure>;
  balance(): Promise<{ readonly total: Balance; readonly streams: Readonly<Record<string, Balance>> }>;
}

/** Options as of `connect`, without the key where none is asked for. */
export type ClientOptions = Omit<ConnectOptions, "key"> & { readonly key?: string | null };

/**
 * A client of the API: `createClient<typeof config>({ url, key })` knows the streams, what they take and what they become.
 * Runs in Node and in browsers. The types are a promise of the config, not checked against what the server answers.
 */
export function createClient<Of extends Config = Config>(options: ClientOptions): Client<Of> {
  const connection = connect({ ...options, key: options.key ?? null });
  return {
    send: (stream, events, sendOptions) => sendEvents(connection, stream, encoded(events), sendOptions),
    records: (stream, query = {}) => rows(connection, recordsPath(stream), recordsParameters(query), query),
    live: (stream, liveOptions) => messages(connection, stream, liveOptions?.signal),
    failures: (query = {}) => rows(connection, "/v1/failures", failuresParameters(query), query),
    async failurePayload(id) {
      const response = await connection.request("GET", `${failurePath(id)}/payload`, { headers: { accept: "*/*" } });
      return new Uint8Array(await response.arrayBuffer());
    },
    retryFailure: (id) => answer(connection.json("POST", `${failurePath(id)}/retry`)),
    discardFailure: (id, reason) => answer(connection.json("DELETE", failurePath(id), { query: { reason } })),
    balance: () => answer(connection.json("GET", "/v1/balance")),
  };
}

/** Where the answer's shape is taken from the API's word: a JSON object, and for the rest the types above. */
async function answer<Shape>(json: Promise<unknown>): Promise<Shape> {
  const value = await json;
  if (isObject(value)) return value as Shape;
  throw new EventPulseError("ANSWER_INVALID", "The server's answer is not one that EventPulse gives.");
}

async function* rows<Row>(
  connection: Connection,
  path: string,
  parameters: Parameters<typeof listPages>[2],
  { limit, signal }: { readonly limit?: number; readonly signal?: AbortSignal },
): AsyncGenerator<Row, void> {
  const options = { signal, ...(limit === undefined ? {} : { limit }) };
  for await (const page of listPages(connection, path, parameters, options)) yield* page as readonly Row[];
}

async function* messages<Data>(
  connection: Connection,
  stream: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ClientLiveMessage<Data>, void> {
  for await (const { kind, data } of live(connection, stream, { signal })) {
    yield { kind, data } as ClientLiveMessage<Data>;
  }
}

/** Events per chunk: a source that never pauses is not asked for each event alone. */
const chunkEvents = 256;

async function* encoded(
  events: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<readonly Uint8Array[], void> {
  const encoder = new TextEncoder();
  const encode = (event: unknown): Uint8Array => encoder.encode(JSON.stringify(event) ?? "null");
  if (Symbol.asyncIterator in events) {
    for await (const event of events) yield [encode(event)];
    return;
  }
  let chunk: Uint8Array[] = [];
  for (const event of events) {
    chunk.push(encode(event));
    if (chunk.length < chunkEvents) continue;
    yield chunk;
    chunk = [];
  }
  yield chunk;
}

function recordsParameters<Data>({ from, to, order, where = {} }: RecordsQuery<Data>) {
  const conditions: Record<string, string> = {};
  for (const [field, operators] of Object.entries<Readonly<Record<string, unknown>> | undefined>(where)) {
    for (const [operator, value] of Object.entries(operators ?? {}))
      conditions[`where[${field}][${operator}]`] = String(value);
  }
  return { from: timeText(from), to: timeText(to), order, ...conditions };
}

function failuresParameters({ stream, state, class: failureClass, code, fingerprint, from, to }: FailuresQuery) {
  return { stream, state, class: failureClass, code, fingerprint, from: timeText(from), to: timeText(to) };
}

function timeText(time: Time | undefined): string | undefined {
  return time === undefined || typeof time === "string" ? time : new Date(time).toISOString();
}

function recordsPath(stream: string): string {
  return `/v1/streams/${encodeURIComponent(stream)}/records`;
}

function failurePath(id: string): string {
  return `/v1/failures/${encodeURIComponent(id)}`;
}
