import { hash } from "node:crypto";
import type { AnomalyDraft } from "../../src/model/anomaly.ts";
import type { FailureDraft } from "../../src/model/failure.ts";
import { failureId, identityHash } from "../../src/model/identity.ts";
import type { NotificationDraft } from "../../src/model/notification.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import type { RawMeta } from "../../src/model/raw-object.ts";
import { type RecordDraft, recordId } from "../../src/model/record.ts";

export const tenant = "acme";
export const stream = "orders";
export const dayMillis = 24 * 60 * 60 * 1000;
/** Noon of an ordinary day: the event time of samples. */
export const noon = Date.UTC(2026, 10, 16, 12);

export interface RecordSample {
  readonly index?: number;
  /** Null: an assigned id, which cannot come twice. */
  readonly eventId?: string | null;
  readonly source?: string;
  readonly time?: number;
  /** What was sent; tells a redelivery from a conflict. */
  readonly data?: unknown;
  readonly numbers?: readonly number[];
  readonly tenant?: string;
  readonly stream?: string;
}

let assigned = 0;

export function recordDraft(sample: RecordSample = {}): RecordDraft {
  const { index = 0, eventId = null, source = "", time = noon, data = { total: index }, numbers = [] } = sample;
  const dataJson = JSON.stringify(data);
  const name = identityHash(
    sample.tenant ?? tenant,
    sample.stream ?? stream,
    source,
    eventId ?? `assigned ${assigned++}`,
  );
  return {
    id: recordId(time, name.bytes10),
    time,
    eventId,
    identity: eventId === null ? null : name.hash53,
    contentHash: eventId === null ? 0 : contentHash(dataJson),
    attributesJson: source === "" ? null : JSON.stringify({ source }),
    dataJson,
    numbers,
    index,
    original: Buffer.from(dataJson),
  };
}

function contentHash(text: string): number {
  return Number.parseInt(hash("sha1", text).slice(0, 13), 16);
}

export function rawMeta(change: Partial<RawMeta> = {}): RawMeta {
  return {
    tenant,
    stream,
    door: "http",
    format: "json",
    receivedAt: noon + 5000,
    contentType: "application/json; charset=utf-8",
    headers: { "user-agent": "test", traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
    idSeed: "00112233445566",
    idSeedFromClient: false,
    events: 1,
    principal: "tester",
    ...change,
  };
}

export function failureDraft(rawKey: string, change: Partial<FailureDraft> = {}): FailureDraft {
  return {
    id: failureId(rawKey, noon + 5000, change.index ?? 0),
    state: "quarantined",
    class: "invalid",
    stage: "validate",
    code: "CONTRACT_BROKEN",
    errors: [{ pointer: "/total", code: "type", detail: "must be a number" }],
    attempts: 1,
    index: 0,
    eventId: null,
    identity: null,
    contentHash: 0,
    fingerprint: "0011223344556677",
    contractVersion: "a1b2c3d4e5f6",
    recoverable: true,
    recoverableWhy: "Correct the event and retry it.",
    original: Buffer.from('{"total":"seven"}'),
    ...change,
  };
}

export function anomalyDraft(change: Partial<AnomalyDraft> = {}): AnomalyDraft {
  return {
    id: "anom_00112233445566778899aabbccddeeff",
    rule: "spend",
    field: "total",
    key: "DE",
    time: noon,
    value: 9000,
    verdict: { score: 0.98, anomalous: true, expectedLow: 10, expectedHigh: null, why: "above all of the last 100" },
    index: 0,
    incident: "inc_00112233445566778899aabbccddeeff",
    severity: "warning",
    ...change,
  };
}

export function notificationDraft(change: Partial<NotificationDraft> = {}): NotificationDraft {
  return {
    id: "ntf_00112233445566778899aabbccddeeff",
    tenant,
    topic: "anomaly",
    stream,
    subject: "orders: total out of its band",
    text: "The total of order 7 is 9,000, expected 10 to 80.\n",
    data: { rule: "spend", value: 9000 },
    destinations: [{ kind: "email", address: "ops@example.com" }],
    group: "spend",
    cooldownMillis: 0,
    incident: null,
    ...change,
  };
}

let objects = 0;

export function newRawKey(ofStream = stream): string {
  return `raw/${ofStream}/2026/11/16/${String(objects++).padStart(12, "0")}`;
}

/**
 * An outcome around the parts that matter to a test. Counts as many events as the parts have, unless `meta` says
 * otherwise; is about a raw object of its own, unless `rawKey` or `subject` say otherwise.
 */
export function outcome(parts: Partial<Omit<Outcome, "meta">> & { readonly meta?: Partial<RawMeta> } = {}): Outcome {
  const { meta, ...rest } = parts;
  const events =
    new Set(rest.records?.map(({ index }) => index)).size +
    (rest.dropped ?? 0) +
    (rest.failures?.length ?? 0) +
    (rest.retries?.length ?? 0);
  const receivedAt = meta?.receivedAt ?? noon + 5000;
  return {
    rawKey: newRawKey(meta?.stream),
    meta: rawMeta({ events, ...meta }),
    subject: { kind: "object" },
    expiresAt: {
      records: receivedAt + 7 * dayMillis,
      failures: receivedAt + 7 * dayMillis,
      raw: receivedAt + 7 * dayMillis,
    },
    records: [],
    dropped: 0,
    failures: [],
    anomalies: [],
    retries: [],
    states: [],
    rollupFields: [],
    notifications: [],
    ...rest,
  };
}

/** The one outcome's result. */
export function only<T>(list: readonly T[]): T {
  const [first, ...others] = list;
  if (first === undefined || others.length > 0) throw new Error(`expected one, there are ${list.length}`);
  return first;
}
