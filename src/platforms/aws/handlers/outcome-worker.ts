import { EventPulseError } from "../../../model/error.ts";
import { tenantDefault } from "../../../model/glossary.ts";
import type { Outcome, OutcomeResult } from "../../../model/outcome.ts";
import { lostObject } from "../../../pipeline/process/payload-object.ts";
import { failObject, type ObjectTrouble, processWork } from "../../../pipeline/process/process-work.ts";
import type { Work } from "../../../ports/work-queue.ts";
import type { ObjectCreated, Task } from "./object-event.ts";
import { poisonOutcome, type TakenObject, takeObject } from "./object-intake.ts";
import { type JobStepOptions, runJobStep } from "./run-job-step.ts";
import { openObjects, openOutbox, type Stage, type StageObjects } from "./stage.ts";
import { processPorts } from "./store-ports.ts";

/** Tries at an outcome whose detector states others change at the same time; then the queue delivers it again. */
const staleTriesMax = 5;

/** Computes and commits what messages ask for. */
export class OutcomeWorker {
  readonly #stage: Stage;
  readonly #stores: StageObjects;
  readonly #context: JobStepOptions;

  constructor(stage: Stage) {
    const { project, contracts } = stage;
    this.#stage = stage;
    this.#stores = openObjects(stage);
    this.#context = {
      ...{ project, contracts, clock: Date.now, random: Math.random },
      ...processPorts(stage, this.#stores, openOutbox(stage).outbox),
      readRaw: (key) => this.#stores.raw.read(key),
    };
  }

  /** Throws when it is to be tried again. `receives`: how often the message came, this time included. */
  async do(task: Task, receives: number): Promise<void> {
    if (task.kind === "object") await this.#process(task);
    else await this.#work(task.work, receives, false);
  }

  /** Sets aside what was tried too often: as failures, so that nobody has to look into a queue. */
  async giveUp(task: Task, receives: number): Promise<void> {
    if (task.kind === "work") return this.#work(task.work, receives, true);
    const { key } = task;
    const taken = await this.#takeReadable(task);
    if (taken === "corrupt")
      return this.#lose(key, "RAW_CORRUPT", "Its bytes are not what was stored; ask the sender.");
    if (taken !== null) return this.#commit(async () => [poisonOutcome(taken.object, this.#context)]);
    if ((await this.#stores.pending.get(key)) === null) return this.#nothing(key);
    await this.#lose(key, "OBJECT_MISSING", "Its bytes cannot be read any more; ask the sender.");
  }

  async #takeReadable(task: ObjectCreated): Promise<TakenObject | null | "corrupt"> {
    try {
      return await takeObject(task, this.#intake());
    } catch (error) {
      if (error instanceof EventPulseError && error.code === "RAW_CORRUPT") return "corrupt";
      throw error;
    }
  }

  /** One failure for the events of an object without bytes; one event where nothing says how many they were. */
  async #lose(rawKey: string, code: ObjectTrouble, detail: string): Promise<void> {
    const stream = rawKey.split("/")[1] ?? "";
    const pending = await this.#stores.pending.get(rawKey);
    // Ids of failures follow from this time: a second try at it must write the same ones.
    const receivedAt = pending?.receivedAt ?? Date.now();
    // Nobody can tell whose it was when nothing is noted of it: it is for who runs the platform.
    const lost = lostObject(pending ?? { tenant: tenantDefault, stream, rawKey, events: 1 }, receivedAt);
    const { project } = this.#context;
    await this.#commit(async () => [failObject(lost, { kind: "object" }, null, code, detail, project)]);
  }

  async #process(event: ObjectCreated): Promise<void> {
    const taken = await takeObject(event, this.#intake());
    if (taken !== null) return this.#commit(async () => [await taken.outcome()]);
    // Gone: retention or somebody removed it. That is well unless it was accepted and never processed.
    if ((await this.#stores.pending.get(event.key)) === null) return this.#nothing(event.key);
    throw new EventPulseError("OBJECT_MISSING", `The raw object ${event.key} was accepted and cannot be read.`);
  }

  async #work(work: Work, receives: number, dead: boolean): Promise<void> {
    if (work.kind !== "job") return this.#commit(() => processWork(work, dead, this.#context));
    const { outcomes, results } = await runJobStep({ work, receives }, dead, this.#context);
    this.#count(outcomes, results);
  }

  /** Computes and commits, again as long as others change the detector states that it was computed from. */
  async #commit(compute: () => Promise<readonly Outcome[]>): Promise<void> {
    for (let tries = 1; ; tries++) {
      const outcomes = await compute();
      if (outcomes.length === 0) return;
      try {
        this.#count(outcomes, await this.#context.records.commit(outcomes));
        return;
      } catch (error) {
        const stale = error instanceof EventPulseError && error.code === "STATE_STALE";
        if (!stale || tries === staleTriesMax) throw error;
      }
    }
  }

  #nothing(key: string): void {
    if (key.startsWith("inbox/")) return;
    this.#stage.telemetry.count("ObjectsRefused");
    this.#stage.telemetry.info("There is nothing to process under this key.", { key });
  }

  #intake() {
    return { stores: this.#stores, context: this.#context, tenants: this.#stage.tenants };
  }

  #count(outcomes: readonly Outcome[], results: readonly OutcomeResult[]): void {
    const { telemetry } = this.#stage;
    for (const [index, { applied, stored, quarantined, dead, retrying, duplicates }] of results.entries()) {
      if (!applied) continue;
      const outcome = outcomes[index];
      if (outcome?.subject.kind === "object") telemetry.count("EventsAccepted", outcome.meta.events);
      telemetry.count("EventsStored", stored);
      telemetry.count("EventsFailed", quarantined + dead);
      telemetry.count("EventsRetrying", retrying);
      telemetry.count("EventsDuplicate", duplicates);
    }
  }
}
