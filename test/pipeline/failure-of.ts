import type { Failure } from "../../src/model/failure.ts";
import type { RawObject } from "../../src/model/raw-object.ts";
import { rawMeta } from "../contracts/outcome-samples.ts";

/** A failure of the event at `rawIndex` of a raw object. */
export function failureOf(object: RawObject, change: Partial<Failure> = {}): Failure {
  const { meta, key } = object;
  return {
    id: "fail_019c13d0a7b24e6f8a51c0de",
    tenant: meta.tenant,
    stream: meta.stream,
    door: meta.door,
    state: "quarantined",
    class: "invalid",
    stage: "validate",
    code: "CONTRACT_BROKEN",
    errors: [],
    attempts: 1,
    firstSeenAt: meta.receivedAt,
    lastSeenAt: meta.receivedAt,
    expiresAt: meta.receivedAt + 1000,
    traceId: null,
    principal: meta.principal,
    contractVersion: "a1b2c3d4e5f6",
    fingerprint: "0011223344556677",
    recoverable: true,
    recoverableWhy: "",
    rawKey: key,
    rawIndex: 0,
    eventId: null,
    contentType: meta.contentType,
    headers: meta.headers,
    payloadBytes: 0,
    payloadSha256: "",
    edit: null,
    jobId: null,
    recordId: null,
    note: null,
    version: 1,
    ...change,
  };
}

/** A raw object as a door would have made it. */
export function rawObject(body: string, change: Parameters<typeof rawMeta>[0] = {}): RawObject {
  return { key: "raw/orders/2026/11/16/0000000000000001", meta: rawMeta(change), body: Buffer.from(body) };
}
