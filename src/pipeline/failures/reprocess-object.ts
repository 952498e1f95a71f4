import type { ErrorDetail } from "../../model/error.ts";
import type { RawObject } from "../../model/raw-object.ts";
import { recordId } from "../../model/record.ts";
import type { EventPlace, Reprocessed, ReprocessedEvent } from "../../model/replacement.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import type { Contract } from "../process/contract.ts";
import type { Identity } from "../process/identify.ts";
import { type EventResult, processEvent } from "../process/process-event.ts";
import { eventsOf } from "../process/process-raw.ts";
import { contentHash, RecordDrafts } from "../process/record-drafts.ts";

/**
 * Processes a raw object again with the contract and the transform of now, for `RecordTable.replace` to compare with what is
 * stored. Pure: detectors do not judge, nothing is written. Never throws for what an event or a transform does; throws what
 * `readEvents` throws when the body cannot be read any more.
 */
export async function reprocessObject(object: RawObject, contract: Contract): Promise<Reprocessed> {
  const { key, meta } = object;
  const drafts = new RecordDrafts();
  const events: ReprocessedEvent[] = [];
  for (const event of eventsOf(object, null, contract)) {
    events.push(reprocessed(event, await processEvent(event, meta, contract), drafts));
  }
  const recordsExpireAt = meta.receivedAt + contract.stream.retention.records;
  return { rawKey: key, meta, recordsExpireAt, rollupFields: drafts.fields, events };
}

function reprocessed(event: ReadEvent, result: EventResult, drafts: RecordDrafts): ReprocessedEvent {
  const { index } = event;
  if (result.kind === "dropped") return { index, place: placeOf(event, result.identity), records: [], reason: null };
  if (result.kind === "failed") {
    return { index, place: placeOf(event, result.identity), records: [], reason: reasonOf(result) };
  }
  const identity = result.records[0]?.identity ?? null;
  const records = result.records.map((record) => drafts.draft(event, record));
  return { index, place: placeOf(event, identity), records, reason: null };
}

function placeOf(event: ReadEvent, identity: Identity | null): EventPlace | null {
  if (identity === null) return null;
  const { id: name, time, bytes, hash } = identity;
  return { id: recordId(time, bytes), name, identity: hash, contentHash: contentHash(identity, event) };
}

/** The code of the failure that it would be, with the place and the words of its first error. */
function reasonOf({ code, errors }: EventResult & { kind: "failed" }): ErrorDetail {
  return { code, pointer: errors[0]?.pointer ?? "", detail: errors[0]?.detail ?? code };
}
