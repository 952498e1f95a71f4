import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Job, JobReason, JobSample, JobState } from "../../model/job.ts";
import { entityOf, type Item, keyText, ttlOf } from "./item.ts";
import { itemKeys, listKeys, timeAndId } from "./item-keys.ts";
import type { Table } from "./table.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** What is written with each step. `reasons` are all that are counted. */
export interface StoredJob extends Omit<Job, "selection" | "mending" | "samples"> {
  /** Name of its frozen list. */
  readonly list: string;
  /** No slice before this one has an item left to do. */
  readonly firstSlice: number;
}

/** What is asked for, which never changes. */
export type JobDefinition = Pick<Job, "selection" | "mending">;

/** Reasons that a job shows. */
const reasonsShown = 20;
/** Reasons that a job counts: one that turns up late in a large job may still come to be one of the most frequent. */
const reasonsCounted = 200;
/** Of all reasons together. They are written with each step, and an item holds 400 KB. */
const reasonCharactersMax = 60_000;
/** Of one reason's detail. */
const detailCharactersMax = 500;

const dayMillis = 24 * 60 * 60 * 1000;
/** A job that is over can be looked at for a month, as notifications can. */
const overMillis = 30 * dayMillis;
/** A job is gone so long after its creation, whatever its state: what it is about has expired long before. */
export const jobMillisMax = 90 * dayMillis;

const over: ReadonlySet<JobState> = new Set(["done", "cancelled"]);

/** The item of a job as of `now`, with its place in the list. */
export function jobItem(job: StoredJob, now: number): Item {
  const { id, tenant, state, createdAt } = job;
  const latest = createdAt + jobMillisMax;
  return {
    ...itemKeys.job(id),
    j: JSON.stringify(job),
    ttl: ttlOf(over.has(state) ? Math.min(now + overMillis, latest) : latest),
    g1p: listKeys.jobs(tenant),
    g1s: timeAndId(createdAt, id),
  };
}

/** 10,000 ids of failures are 400 KB as they are, and half of that deflated: as much as an item may hold. */
export function definitionItem({ id, createdAt }: Pick<Job, "id" | "createdAt">, definition: JobDefinition): Item {
  return {
    ...itemKeys.jobDefinition(id),
    b: deflateRawSync(JSON.stringify(definition)),
    ttl: ttlOf(createdAt + jobMillisMax),
  };
}

export function samplesItem({ id, createdAt }: Pick<Job, "id" | "createdAt">, samples: readonly JobSample[]): Item {
  return { ...itemKeys.jobSamples(id), j: JSON.stringify(samples), ttl: ttlOf(createdAt + jobMillisMax) };
}

/** Within a unit: the job as kept; null when there is none, or it is another tenant's. */
export async function findJob(unit: UnitOfWork, tenant: string, id: string): Promise<StoredJob | null> {
  const item = await unit.load(itemKeys.job(id));
  const job = item && entityOf<StoredJob>(item);
  return job?.tenant === tenant ? job : null;
}

export async function readStoredJob(table: Table, tenant: string, id: string): Promise<StoredJob | null> {
  const item = await table.get(itemKeys.job(id));
  const job = item && entityOf<StoredJob>(item);
  return job?.tenant === tenant ? job : null;
}

/** Jobs as people see them, in the order of `stored`. */
export async function completeJobs(table: Table, stored: readonly StoredJob[]): Promise<Job[]> {
  const rest = await table.getAll(stored.flatMap(({ id }) => [itemKeys.jobDefinition(id), itemKeys.jobSamples(id)]));
  return stored.flatMap((job) => {
    const definition = rest.get(keyText(itemKeys.jobDefinition(job.id)));
    // It has expired between the two reads.
    if (definition?.b === undefined) return [];
    const samples = rest.get(keyText(itemKeys.jobSamples(job.id)));
    return toJob(job, readDefinition(definition.b), samplesOf(samples));
  });
}

/** The job as people see it. */
export function toJob(stored: StoredJob, definition: JobDefinition, samples: readonly JobSample[]): Job {
  const { list: _list, firstSlice: _slice, ...job } = stored;
  return { ...job, ...definition, reasons: job.reasons.slice(0, reasonsShown), samples };
}

export function samplesOf(item: Item | null | undefined): readonly JobSample[] {
  return item == null ? [] : entityOf<readonly JobSample[]>(item);
}

/** The definition in the bytes of its item. */
export function readDefinition(bytes: Uint8Array): JobDefinition {
  return JSON.parse(inflateRawSync(bytes).toString("utf8")) as JobDefinition;
}

/** The reasons of a job with those of a step added, most frequent first. The detail and the example are the first one's. */
export function addReasons({ reasons }: StoredJob, added: readonly JobReason[]): readonly JobReason[] {
  const all = new Map<string, JobReason>();
  for (const reason of [...reasons, ...added]) {
    const key = JSON.stringify([reason.code, reason.pointer]);
    const known = all.get(key);
    if (known !== undefined) all.set(key, { ...known, count: known.count + reason.count });
    else all.set(key, { ...reason, detail: reason.detail.slice(0, detailCharactersMax) });
  }
  const sorted = [...all.values()].sort((left, right) => right.count - left.count);
  let characters = 0;
  const fitting = sorted.filter(({ pointer, detail }) => {
    const more = characters + pointer.length + detail.length;
    if (more > reasonCharactersMax) return false;
    characters = more;
    return true;
  });
  return fitting.slice(0, reasonsCounted);
}
