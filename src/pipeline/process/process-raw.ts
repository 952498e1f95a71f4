import type { AnomalyDefinition, Project } from "../../model/definition.ts";
import { EventPulseError } from "../../model/error.ts";
import type { FailureDraft } from "../../model/failure.ts";
import { limits } from "../../model/limits.ts";
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
import { identityPaths } from "./identify.ts";
import { notificationsOf } from "./notifications.ts";
import { type EventResult, processEvent } from "./process-event.ts";
import { contentHash, RecordDrafts } from "./record-drafts.ts";
import { type DetectInput, detectAll } from "./rules/detect-all.ts";
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
  return processEvents(raw, subject, eventsOf(raw, index, context.contract), context);
}

/** The same for events that were read before, and mended since. */
export async function processEvents(
  raw: RawObject,
  subject: OutcomeSubject,
  events: readonly ReadEvent[],
  context: ProcessContext,
): Promise<Outcome> {
  const { stream } = context.contract;
  const paths = identityPaths(stream);
  const rules = context.project.anomalies.filter((rule) => rule.stream === stream.name);
  const builder = new OutcomeBuilder(raw, subject, context, rules.length > 0);
  for (const event of events) {
    const result = processEvent(event, raw.meta, context.contract, paths);
    builder.add(event, result instanceof Promise ? await result : result);
  }
  return builder.finish(rules);
}

/** All events of a raw object, or the one at `index`, exactly as acceptance saw them. Throws OBJECT_MISSING. */
export function eventsOf(raw: RawObject, index: number | null, contract: Contract): readonly ReadEvent[] {
  if (index === null) return readAll(raw, contract);
  const events = readBefore.get(raw) ?? readAll(raw, contract);
  readBefore.set(raw, events);
  const event = events[index];
  if (event === undefined) throw new EventPulseError("OBJECT_MISSING", `Event ${index} is not in ${raw.key}.`);
  // A transform may change what it is given, and the next attempt must not see that.
  return [{ ...event, data: copyJson(event.data) }];
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
  readonly #detect: DetectInput[] | null;
  readonly #failures: FailureDraft[] = [];
  readonly #retries: EventRetry[] = [];
  readonly #drafts = new RecordDrafts();
  #dropped = 0;

  constructor(raw: RawObject, subject: OutcomeSubject, context: ProcessContext, detects: boolean) {
    this.#raw = raw;
    this.#subject = subject;
    this.#context = context;
    this.#detect = detects ? [] : null;
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
      this.#detect?.push({ draft, result: record.result, receivedAt: this.#raw.meta.receivedAt });
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

  async finish(rules: readonly AnomalyDefinition[]): Promise<Outcome> {
    const { meta, key } = this.#raw;
    const { stream } = this.#context.contract;
    const { anomalies, states, incidents, troubles } = await detectAll(
      meta.tenant,
      rules,
      this.#detect ?? [],
      this.#context.records,
    );
    const { retention } = stream;
    const outcome: Omit<Outcome, "notifications"> = {
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
    };
    const { project } = this.#context;
    const { tenant, stream: name } = meta;
    const place = {
      tenant,
      stream: name,
      of: `the records of ${key}`,
      name: `${key} ${JSON.stringify(this.#subject)}`,
    };
    const notices = [...notificationsOf(project, outcome, incidents), ...troubleNotices(project, place, troubles)];
    return { ...outcome, notifications: notices };
  }
}

/** Full jitter over 1, 2, 4, 8 … seconds, at most a minute (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export function retryDelayMillis(attempts: number, random: number): number {
  return Math.round(random * Math.min(60_000, 1000 * 2 ** (attempts - 1)));
}
