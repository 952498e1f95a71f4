import assert from "node:assert/strict";
import { jsonOf, type PageBody, type TestApp } from "./app-harness.ts";

export interface FailureBody {
  readonly id: string;
  readonly state: string;
  readonly fingerprint: string;
  readonly payloadSha256: string;
  readonly version: number;
  readonly edit: {
    readonly patch: readonly { readonly path: string; readonly value?: unknown }[];
    readonly by: string;
    readonly at: string;
    readonly reason: string | null;
    readonly sha256: string;
  } | null;
}

export interface AuditBody {
  readonly sequence: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly reason: string | null;
  readonly hashBefore: string | null;
  readonly hashAfter: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An order whose total is a text. */
export const brokenOrder = (id: string) => ({ id, total: "12.5" });
/** A customer, with personal data, whose age is a text. */
export const brokenCustomer = { id: "c-1", email: "ann@example.com", born: { year: 1990 }, age: "old" };

/** Sends events that fail and processes them; what the list of failures then has, oldest first. */
export async function failedEvents(app: TestApp, stream: string, events: readonly object[]) {
  await app.send(stream, events);
  await app.process();
  const { data } = await jsonOf<PageBody<FailureBody>>(app.request(`/v1/failures?stream=${stream}&order=asc`));
  assert.equal(data.length, events.length);
  return data;
}

/** The one failure of one event. */
export async function failedEvent(app: TestApp, stream: string, event: object): Promise<FailureBody> {
  const [failure] = await failedEvents(app, stream, [event]);
  assert.ok(failure !== undefined);
  return failure;
}

export async function auditOf(app: TestApp, query = ""): Promise<readonly AuditBody[]> {
  return (await jsonOf<PageBody<AuditBody>>(app.request(`/v1/audit${query}`))).data;
}

/** A request with a JSON body. */
export function sendJson(
  app: TestApp,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return app.request(path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
