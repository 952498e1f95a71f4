import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** A platform that can run a config. Scenarios know it by this alone, so every platform can run the same ones. */
export interface Platform {
  /** What it cannot do, with the reason in a few words, as docs/ARCHITECTURE.md says it. */
  readonly lacks: Readonly<Partial<Record<Capability, string>>>;
  /** Starts with an empty store. `config` is the text of a config file. */
  start(config: string): Promise<Running>;
}

/**
 * What a scenario may need that not every platform has. `live-stream`: one answer that goes on for as long as somebody listens.
 * `upload-door`: the link of an upload leads to us, so that the answer to a file says what is in it.
 */
export type Capability = "live-stream" | "upload-door";

/** Tenants that every platform has besides `default`. */
export const otherTenants = ["acme", "globex"] as const;
export type OtherTenant = (typeof otherTenants)[number];

/** A running EventPulse: what a client sees of it, and what only its operator does or has. */
export interface Running extends HttpCalls {
  /** The same calls with the key of another tenant. */
  of(tenant: OtherTenant): HttpCalls;
  /** Puts another config in force; resolves when it is, throws with what the platform says when it cannot be. */
  reconfigure(config: string): Promise<void>;
  /** Mails that were captured, as RFC 5322 text. */
  mails(): Promise<readonly string[]>;
  /** Ends it and removes what it kept. */
  close(): Promise<void>;
}

export interface HttpCalls {
  readonly url: string;
  readonly key: string | null;
  /** Any request; nothing is checked. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** GET that must answer 200 with JSON. */
  get<Answer>(path: string): Promise<Answer>;
  /** All pages of a list. `path` may have a query. */
  list<Row>(path: string): Promise<Row[]>;
  /** Sends events, or a body as it is, which must be accepted. */
  send(stream: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Acceptance>;
  balance(stream: string): Promise<StreamBalance>;
  /** Waits until nothing of any stream is in flight. */
  settled(seconds?: number): Promise<void>;
}

export interface Acceptance {
  readonly accepted: number;
  readonly invalidCount: number;
  readonly invalid: readonly { readonly index: number; readonly errors: readonly Detail[] }[];
  readonly rawKey: string;
}
export interface Detail {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}
export interface Problem {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly requestId: string;
  readonly errors: readonly Detail[];
}
export interface RecordRow<Data = Record<string, unknown>> {
  readonly id: string;
  readonly time: string;
  readonly eventId: string | null;
  readonly attributes: Readonly<Record<string, string>> | null;
  readonly data: Data;
}
export interface FailureRow {
  readonly id: string;
  readonly state: string;
  readonly class: string;
  readonly stage: string;
  readonly code: string;
  readonly errors: readonly Detail[];
  readonly attempts: number;
  readonly rawIndex: number;
  readonly recordId: string | null;
  readonly note: string | null;
}
export interface AnomalyRow {
  readonly id: string;
  readonly rule: string;
  readonly key: string;
  readonly field: string;
  readonly time: string;
  readonly value: number | string;
  readonly score: number;
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
  readonly why: string;
  readonly recordId: string | null;
  readonly incident: string;
  readonly severity: string;
}
export interface NotificationRow {
  readonly id: string;
  readonly topic: string;
  readonly stream: string;
  readonly subject: string;
  readonly state: string;
  readonly suppressed: number;
}
export interface StreamBalance {
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: number;
  readonly quarantined: number;
  readonly dead: number;
  readonly inFlight: number;
  readonly duplicates: number;
}
interface BalanceAnswer {
  readonly total: StreamBalance;
  readonly streams: Readonly<Record<string, StreamBalance>>;
}

/** Calls to the API at `url`. Every answer that is read here keeps the balance's equation or fails. */
export function httpCalls(url: string, key: string | null = null): HttpCalls {
  const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const request = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, url), { ...init, headers: { ...authorization, ...(init.headers as Record<string, string>) } });
  const get = async <Answer>(path: string): Promise<Answer> => {
    const response = await request(path);
    const text = await response.text();
    assert.equal(response.status, 200, `GET ${path}: ${response.status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as Answer;
  };
  return {
    url,
    key,
    request,
    get,
    async list<Row>(path: string) {
      const rows: Row[] = [];
      const separator = path.includes("?") ? "&" : "?";
      for (let cursor = ""; ; ) {
        const page = await get<{ data: Row[]; page: { next: string | null } }>(
          `${path}${separator}limit=1000${cursor}`,
        );
        rows.push(...page.data);
        if (page.page.next === null) return rows;
        cursor = `&cursor=${encodeURIComponent(page.page.next)}`;
      }
    },
    async send(stream, body, headers = {}) {
      const raw = typeof body === "string" || body instanceof Uint8Array;
      const response = await request(`/v1/streams/${stream}/events`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: raw ? (body as string) : JSON.stringify(body),
      });
      const text = await response.text();
      assert.equal(response.status, 202, `sending to ${stream}: ${response.status} ${text.slice(0, 500)}`);
      return JSON.parse(text) as Acceptance;
    },
    async balance(stream) {
      const { streams } = await get<BalanceAnswer>("/v1/balance");
      const balance = streams[stream];
      assert.ok(balance !== undefined, `no balance of ${stream}`);
      const { accepted, stored, dropped, quarantined, dead, inFlight } = balance;
      assert.equal(accepted, stored + dropped + quarantined + dead + inFlight, `the balance of ${stream}`);
      return balance;
    },
    async settled(seconds = 30) {
      await eventually(
        async () => {
          const { total } = await get<BalanceAnswer>("/v1/balance");
          assert.equal(total.inFlight, 0, "events are still in flight");
        },
        { seconds },
      );
    },
  };
}

/** Tries `check` until it does not throw; after `seconds` throws what it threw last. */
export async function eventually<Result>(
  check: () => Result | Promise<Result>,
  { seconds = 15 }: { readonly seconds?: number } = {},
): Promise<Result> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= end) throw error;
    }
    await pause(50);
  }
}

/** An answer that must be a problem with this status and code. */
export async function expectProblem(response: Response, status: number, code: string): Promise<Problem> {
  const text = await response.text();
  assert.equal(response.status, status, `${response.url}: ${response.status} ${text.slice(0, 300)}`);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const problem = JSON.parse(text) as Problem;
  assert.equal(problem.code, code);
  assert.equal(problem.status, status);
  assert.equal(problem.requestId, response.headers.get("x-request-id"));
  return problem;
}

/** A time as the API takes it. */
export function isoTime(millis: number): string {
  return new Date(millis).toISOString();
}
