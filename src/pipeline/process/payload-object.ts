import type { Failure } from "../../model/failure.ts";
import type { RawFormat, RawMeta, RawObject } from "../../model/raw-object.ts";

/** The one event of a failure as a raw object of its own, for when the object that it came in is gone. */
export function payloadObject(failure: Failure, payload: Uint8Array): RawObject {
  const meta: RawMeta = {
    tenant: failure.tenant,
    stream: failure.stream,
    door: failure.door,
    format: payloadFormat(failure),
    receivedAt: failure.firstSeenAt,
    contentType: failure.contentType,
    headers: failure.headers,
    // The assigned id went with the object; derived from the failure, it is the same for every attempt.
    idSeed: failure.id.slice(-14),
    idSeedFromClient: false,
    events: 1,
    principal: failure.principal,
  };
  return { key: failure.rawKey, meta, body: payload };
}

function payloadFormat({ contentType, headers }: Failure): RawFormat {
  if (contentType.startsWith("text/csv")) return "csv";
  if (contentType.startsWith("application/cloudevents")) return "cloudevent";
  return headers["ce-specversion"] === undefined ? "json" : "cloudevent-binary";
}

/** What is left of a raw object that cannot be read: its place and how many events it had. */
export function lostObject(
  lost: { readonly tenant: string; readonly stream: string; readonly rawKey: string; readonly events: number },
  receivedAt: number,
): RawObject {
  const meta: RawMeta = {
    tenant: lost.tenant,
    stream: lost.stream,
    door: "upload",
    format: "json",
    receivedAt,
    contentType: "application/octet-stream",
    headers: {},
    idSeed: "00000000000000",
    idSeedFromClient: false,
    events: lost.events,
    principal: "unknown",
  };
  return { key: lost.rawKey, meta, body: new Uint8Array(0) };
}
