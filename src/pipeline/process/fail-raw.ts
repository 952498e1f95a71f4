import type { Project, Retention } from "../../model/definition.ts";
import type { FailureDraft } from "../../model/failure.ts";
import { retentionMillisDefault } from "../../model/limits.ts";
import type { Outcome, OutcomeSubject } from "../../model/outcome.ts";
import type { RawObject } from "../../model/raw-object.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import { readEvents } from "../ingest/read-events.ts";
import { failureDraft, type Reason } from "./failure-draft.ts";
import { notificationsOf } from "./notifications.ts";

const retentionDefault: Retention = {
  raw: retentionMillisDefault,
  records: retentionMillisDefault,
  failures: retentionMillisDefault,
};

/**
 * The outcome of a raw object (or of the event at `index`) that cannot be processed at all: its stream is gone, its bytes
 * are corrupt, or it ended the process before. One failure per event, each with its own bytes; when the events cannot be
 * told apart any more, the first failure holds the whole body and the others say so.
 */
export function failRaw(
  raw: RawObject,
  subject: OutcomeSubject,
  index: number | null,
  reason: Omit<Reason, "identity">,
  project: Project,
): Outcome {
  const stream = project.streams.get(raw.meta.stream);
  const retention = stream?.retention ?? retentionDefault;
  const attempts = subject.kind === "object" ? 1 : subject.attempt;
  const all = splitOrWhole(raw);
  const events = index === null ? all : [all.find((event) => event.index === index) ?? { index, original: raw.body }];
  const failures: readonly FailureDraft[] = events.map((event) =>
    failureDraft(raw, event, { ...reason, identity: null }, 0, attempts, "none"),
  );
  const outcome: Omit<Outcome, "notifications"> = {
    rawKey: raw.key,
    meta: raw.meta,
    subject,
    expiresAt: {
      records: raw.meta.receivedAt + retention.records,
      failures: raw.meta.receivedAt + retention.failures,
      raw: raw.meta.receivedAt + retention.raw,
    },
    records: [],
    dropped: 0,
    failures,
    anomalies: [],
    retries: [],
    states: [],
    rollupFields: [],
  };
  return { ...outcome, notifications: notificationsOf(project, outcome, []) };
}

/** As many events as acceptance counted, whatever can still be read. */
function splitOrWhole(raw: RawObject): readonly Pick<ReadEvent, "index" | "original">[] {
  try {
    const { format, headers, events } = raw.meta;
    const read = readEvents({ format, headers, body: raw.body, eventsMax: Number.POSITIVE_INFINITY, csvColumns: {} });
    if (read.length === events) return read;
  } catch {
    // What cannot be read is kept whole, below.
  }
  const nothing = new Uint8Array(0);
  return Array.from({ length: raw.meta.events }, (_, index) => ({ index, original: index === 0 ? raw.body : nothing }));
}
