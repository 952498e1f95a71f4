import { hash } from "node:crypto";
import type { RecordDraft } from "../../model/record.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import type { Identity } from "./identify.ts";
import type { EventRecord } from "./process-event.ts";

/** The numeric fields of records that are rolled up per minute: enough for any chart, bounded against data used as keys. */
const rollupFieldsMax = 32;

/** Makes the drafts of the records of one raw object, and gathers the names of their numeric fields. */
export class RecordDrafts {
  /** `Outcome.rollupFields`. */
  readonly fields: string[] = [];

  draft(event: ReadEvent, { id, identity, result, dataJson }: EventRecord): RecordDraft {
    return {
      id,
      time: identity.time,
      eventId: identity.eventId,
      identity: identity.hash,
      contentHash: contentHash(identity, event),
      attributesJson: event.attributes === null ? null : JSON.stringify(event.attributes),
      dataJson,
      numbers: this.#numbers(result),
      index: event.index,
      original: event.original,
    };
  }

  #numbers(result: Record<string, unknown>): readonly number[] {
    const numbers: number[] = new Array(this.fields.length).fill(Number.NaN);
    // Records of one stream have their fields in one order.
    let next = 0;
    for (const name in result) {
      const value = result[name];
      if (typeof value !== "number") continue;
      let index = this.fields[next] === name ? next : this.fields.indexOf(name);
      if (index < 0) {
        if (this.fields.length >= rollupFieldsMax) continue;
        index = this.fields.push(name) - 1;
      }
      numbers[index] = value;
      next = index + 1;
    }
    return numbers;
  }
}

/**
 * 53 bits of SHA-1 over the bytes as sent; enough to tell a redelivery from other content under the same identity. 0 for
 * an event that cannot come twice.
 */
export function contentHash(identity: Identity | null, event: ReadEvent): number {
  return identity?.hash == null ? 0 : Number.parseInt(hash("sha1", event.original).slice(0, 13), 16);
}
