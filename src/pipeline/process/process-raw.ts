import type { AnomalyDefinition, Project } from "../../model/definition.ts";
import { EventPulseError } from "../../model/error.ts";
import type { FailureDraft } from "../../model/failure.ts";
import { limits } from "../../model/limits.ts";
import type { NotificationDraft } from "../../model/notification.ts";
import type { EventRetry, Outcome, OutcomeSubject } from "../../model/outcome.ts";
import type { RawObject } from "../../model/raw-object.ts";
import type { RecordDraft } from "../../model/record.ts";
import type { RecordTable } from "../../ports/record-table.ts";
import { csvColumns } from "../ingest/csv.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import { readEvents } from "../ingest/read-events.ts";
import type { Contract } from "./contract.ts";
import { copyJson } from "./copy-json.ts";
import { explainErrors } from "./explain-errors.ts";
import { failureDraft } from "./failure-draft.ts";
import { notificationsOf } from "./notifications.ts";
import { type EventResult, processEvent } from "./process-event.ts";
import { contentHash, RecordDrafts } from "./record-drafts.ts";
import { type Detected, type DetectInput, detectAll } from "./rules/detect-all.ts";
import { troubleNotices } from "./rules/rule-troubles.ts";

/** What processing needs to know besides the raw object. */
export interface ProcessContext {
  readonly project: Project;
  readonly contract: Contract;
  readonly records: Pick<RecordTable, "loadStates">;
  /** Between 0 and 1; spreads retries. */
  readonly random: () => number;
}

/**
 * Turns a raw object (or, when `index` is a number, that one event of it) into its outcome. Pure but for reading detector states: the same
 * object gives the same outcome, so that a redelivery is recognised. Bad events fail alone; throws only for our own
 * mistakes and for what `RecordTable.loadStates` throws.
 */
export async function processRaw(
  raw: RawObject,
  subject: OutcomeSubject,
  index: number | null,
  context: ProcessContext,
): Promise<Outcome> {
  const events = eventsOf(raw, index, context.contract);
  return processEvents(raw, subject, index === null ? events : events.map(ownEvent), context);
}

/** The same for events that were read before, and mended since. */
export async function processEvents(
  raw: RawObject,
  subject: OutcomeSubject,
  events: readonly ReadEvent[],
  context: ProcessContext,
): Promise<Outcome> {
  const builder = new OutcomeBuilder(raw, subject, context);
  for (const event of events) {
    const result = processEvent(event, raw.meta, context.contract);
    builder.add(event, result instanceof Promise ? await result : result);
  }
  return builder.finish();
}

/** An event that others have, too, with data of its own: a transform may change what it is given. */
export function ownEvent(event: ReadEvent): ReadEvent {
  return { ...event, data: copyJson(event.data) };
}

/** All events of a raw object, or the one at `index`, which others have, too, exactly as acceptance saw them. Throws OBJECT_MISSING. */
export function eventsOf(raw: RawObject, index: number | null, contract: Contract): readonly ReadEvent[] {
  if (index === null) return readAll(raw, contract);
  const events = readBefore.get(raw) ?? readAll(raw, contract);
  readBefore.set(raw, events);
  const event = events[index];
  if (event === undefined) throw new EventPulseError("OBJECT_MISSING", `Event ${index} is not in ${raw.key}.`);
  return [event];
}

/** Events of objects that are retried one event at a time: without it, each retry would read the whole object again. */
const readBefore = new WeakMap<RawObject, readonly ReadEvent[]>();

function readAll(raw: RawObject, contract: Contract): readonly ReadEvent[] {
  return readEvents({
    format: raw.meta.format,
    headers: raw.meta.headers,
    body: raw.body,
    eventsMax: Number.POSITIVE_INFINITY,
    csvColumns: csvColumns(raw.meta.format === "csv" ? contract.jsonSchema : null),
  });
}

class OutcomeBuilder {
  readonly #raw: RawObject;
  readonly #subject: OutcomeSubject;
  readonly #context: ProcessContext;
  readonly #records: RecordDraft[] = [];
  readonly #rules: readonly AnomalyDefinition[];
  readonly #detect: DetectInput[] = [];
  readonly #failures: FailureDraft[] = [];
  readonly #retries: EventRetry[] = [];
  readonly #drafts = new RecordDrafts();
  #dropped = 0;

  constructor(raw: RawObject, subject: OutcomeSubject, context: ProcessContext) {
    const { name } = context.contract.stream;
    this.#raw = raw;
    this.#subject = subject;
    this.#context = context;
    this.#rules = context.project.anomalies.filter((rule) => rule.stream === name);
  }

  add(event: ReadEvent, result: EventResult): void {
    if (result.kind === "dropped") this.#dropped++;
    else if (result.kind === "failed") this.#fail(event, result);
    else this.#store(event, result);
  }

  #store(event: ReadEvent, { records }: EventResult & { kind: "stored" }): void {
    for (const record of records) {
      const draft = this.#drafts.draft(event, record);
      this.#records.push(draft);
      if (this.#rules.length === 0) continue;
      this.#detect.push({ draft, result: record.result, receivedAt: this.#raw.meta.receivedAt });
    }
  }

  #fail(event: ReadEvent, result: EventResult & { kind: "failed" }): void {
    const attempts = this.#subject.kind === "object" ? 1 : this.#subject.attempt;
    if (result.transient && this.#subject.kind !== "failure" && attempts < limits.attemptsMax) {
      this.#retries.push({
        index: event.index,
        attempts,
        delayMillis: retryDelayMillis(attempts, this.#context.random()),
      });
      return;
    }
    const content = contentHash(result.identity, event);
    const { stream, version } = this.#context.contract;
    const reason = { ...result, errors: explainErrors(result.errors, event, stream) };
    this.#failures.push(failureDraft(this.#raw, event, reason, content, attempts, version));
  }

  finish(): Outcome | Promise<Outcome> {
    if (this.#detect.length === 0) return this.#outcome(nothingDetected);
    const { tenant } = this.#raw.meta;
    const detected = detectAll(tenant, this.#rules, this.#detect, this.#context.records);
    return detected.then((found) => this.#outcome(found));
  }

  #outcome({ anomalies, states, incidents, troubles }: Detected): Outcome {
    const { meta, key } = this.#raw;
    const { retention } = this.#context.contract.stream;
    const outcome: Outcome = {
      rawKey: key,
      meta,
      subject: this.#subject,
      expiresAt: {
        records: meta.receivedAt + retention.records,
        failures: meta.receivedAt + retention.failures,
        raw: meta.receivedAt + retention.raw,
      },
      records: this.#records,
      dropped: this.#dropped,
      failures: this.#failures,
      anomalies,
      retries: this.#retries,
      states,
      rollupFields: this.#drafts.fields,
      notifications: [],
    };
    const told = [...notificationsOf(this.#context.project, outcome, incidents), ...this.#troubled(troubles)];
    return told.length === 0 ? outcome : { ...outcome, notifications: told };
  }

  #troubled(troubles: Detected["troubles"]): readonly NotificationDraft[] {
    if (troubles.length === 0) return [];
    const { meta, key } = this.#raw;
    const { tenant, stream } = meta;
    const name = `${key} ${JSON.stringify(this.#subject)}`;
    return troubleNotices(this.#context.project, { tenant, stream, of: `the records of ${key}`, name }, troubles);
  }
}

const nothingDetected: Detected = { anomalies: [], states: [], incidents: [], troubles: [] };

/** Full jitter over 1, 2, 4, 8 … seconds, at most a minute (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export function retryDelayMillis(attempts: number, random: number): number {
  return Math.round(random * Math.min(60_000, 1000 * 2 ** (attempts - 1)));
}
