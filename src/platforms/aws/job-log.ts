import { randomUUID } from "node:crypto";
import type { AuditDraft } from "../../model/audit.ts";
import { decodeCursor, encodeCursor } from "../../model/cursor.ts";
import { assert, EventPulseError } from "../../model/error.ts";
import type { Job, JobDraft, JobItem, JobState } from "../../model/job.ts";
import { limits } from "../../model/limits.ts";
import type { Page } from "../../model/page.ts";
import type { JobItemQuery, JobLog, JobQuery } from "../../ports/job-log.ts";
import { appendAudit } from "./audit-log.ts";
import type { PayloadObjects } from "./failure-payloads.ts";
import { enqueueStep, enterState, finishStep } from "./finish-step.ts";
import { readFrozenItems, sliceOf, writeFrozenItems } from "./frozen-items.ts";
import { entityOf } from "./item.ts";
import { itemKeys, listKeys } from "./item-keys.ts";
import {
  completeJobs,
  definitionItem,
  findJob,
  jobItem,
  jobMillisMax,
  readStoredJob,
  type StoredJob,
} from "./job-items.ts";
import { planJob } from "./job-plan.ts";
import { listPage } from "./list-page.ts";
import type { Outbox } from "./outbox.ts";
import { selectedTargets } from "./selected-targets.ts";
import type { Table } from "./table.ts";
import { transaction } from "./unit-of-work.ts";

export interface JobLogOptions {
  readonly outbox: Outbox;
  /** Payloads that are too big for an item, for selections that look into them. */
  readonly objects?: PayloadObjects | null;
  /** Default `limits.jobItemsMax`. */
  readonly itemsMax?: number;
}

type ByHand = Parameters<JobLog["change"]>[3];

/** From where a job can be brought by hand to where. Resumed in its grace period it is `scheduled` again. */
const changes: Readonly<Record<ByHand, readonly JobState[]>> = {
  paused: ["scheduled", "running"],
  running: ["paused", "cancelled"],
  cancelled: ["scheduled", "running", "paused"],
};

/** Items looked at for one page; a page ends early, with a cursor, instead of reading for minutes. */
const itemsScannedMax = 10_000;

/** Jobs in the table: see `StoredJob` for how one is laid out. */
export function dynamoJobLog(table: Table, options: JobLogOptions): JobLog {
  const { outbox, objects = null } = options;
  const complete = async (stored: StoredJob | null): Promise<Job | null> =>
    stored === null ? null : ((await completeJobs(table, [stored]))[0] ?? null);
  const get = async (tenant: string, id: string) => complete(await readStoredJob(table, tenant, id));
  return {
    plan: (tenant, selection) => planJob(table, objects, tenant, selection),
    async create(draft, audit) {
      const known = await get(draft.tenant, draft.id);
      if (known !== null) return known;
      const job = await complete(await startJob(table, draft, audit, options));
      assert(job !== null, "a job that was just written can be read");
      return job;
    },
    get,
    query: (query) => queryJobs(table, query),
    async items(tenant, id, query) {
      return pageOfItems(table, await readStoredJob(table, tenant, id), query);
    },
    async change(tenant, id, version, to, audit) {
      const changed = await transaction(table, async (unit) => {
        const job = await findJob(unit, tenant, id);
        if (job === null) return null;
        checkChange(job, version, to);
        const now = table.clock();
        const state = to === "running" && job.startsAt > now ? "scheduled" : to;
        const after = enterState(job, state, to === "running" ? null : audit.reason);
        unit.put(jobItem(after, now));
        if (to === "running") enqueueStep(unit, outbox, after, Math.max(now, job.startsAt));
        await appendAudit(unit, audit);
        return after;
      });
      await outbox.dispatch();
      return complete(changed);
    },
    async todo(tenant, id, max) {
      const job = await readStoredJob(table, tenant, id);
      if (job === null) return [];
      const items: JobItem[] = [];
      for await (const item of readFrozenItems(table, job.list, job.items, job.firstSlice)) {
        if (item.result === null) items.push(item);
        // Before the next slice is read.
        if (items.length === max) break;
      }
      return items;
    },
    finishStep: (result) => finishStep(table, outbox, result),
  };
}

/**
 * Freezes the selection, then writes the job that makes the list visible. A crash between the two leaves slices that nobody
 * sees and that expire: the list has a name of its own, so another try does not mix with them.
 */
async function startJob(
  table: Table,
  draft: JobDraft,
  audit: AuditDraft,
  { outbox, objects = null, itemsMax = limits.jobItemsMax }: JobLogOptions,
): Promise<StoredJob> {
  const { graceMillis, selection, mending, ...kept } = draft;
  const now = table.clock();
  const list = `${draft.id}#${randomUUID()}`;
  const targets = selectedTargets(table, objects, draft.tenant, selection);
  const items = await writeFrozenItems(table, list, targets, { max: itemsMax, expiresAt: now + jobMillisMax });
  if (items === 0) {
    throw new EventPulseError(
      "SELECTION_EMPTY",
      "Nothing fits the selection, so no job was started. Plan it first, and widen the filter or the range of time.",
    );
  }
  const full = `It holds ${items} items, as many as a job can. If the selection matches more, another job takes the rest.`;
  const job: StoredJob = {
    ...kept,
    state: graceMillis > 0 ? "scheduled" : "running",
    stateReason: items === itemsMax ? full : null,
    items,
    results: {},
    reasons: [],
    createdAt: now,
    startsAt: now + graceMillis,
    finishedAt: null,
    step: 1,
    version: 1,
    list,
    firstSlice: 0,
  };
  const stored = await transaction(table, async (unit) => {
    const item = await unit.load(itemKeys.job(draft.id));
    // Somebody else created it meanwhile.
    if (item !== null) return entityOf<StoredJob>(item);
    unit.put(jobItem(job, now));
    unit.put(definitionItem(job, { selection, mending }));
    enqueueStep(unit, outbox, job, job.startsAt);
    await appendAudit(unit, { ...audit, details: { ...audit.details, items } });
    return job;
  });
  await outbox.dispatch();
  return stored;
}

async function queryJobs(table: Table, query: JobQuery): Promise<Page<Job>> {
  const { tenant, state, action } = query;
  const page = await listPage<StoredJob>(
    {
      kind: "jobs",
      table,
      index: "g1",
      partitions: [listKeys.jobs(tenant)],
      row: (item) => {
        const job = entityOf<StoredJob>(item);
        const fits = (state === null || job.state === state) && (action === null || job.action === action);
        return fits ? job : null;
      },
    },
    query,
  );
  return { rows: await completeJobs(table, page.rows), next: page.next };
}

async function pageOfItems(
  table: Table,
  job: StoredJob | null,
  { result, limit, cursor }: JobItemQuery,
): Promise<Page<JobItem>> {
  const after = cursor === null ? 0 : Number(decodeCursor("items", cursor, ["number"])[0]);
  if (job === null) return { rows: [], next: null };
  const rowsMax = Math.min(Math.max(1, limit), limits.pageRowsMax);
  const wanted = result === "todo" ? null : result;
  const rows: JobItem[] = [];
  let last = after;
  for await (const item of readFrozenItems(table, job.list, job.items, sliceOf(after + 1))) {
    if (item.position <= after) continue;
    const fits = result === null || item.result === wanted;
    if ((fits && rows.length === rowsMax) || last - after === itemsScannedMax) {
      return { rows, next: encodeCursor("items", [last]) };
    }
    if (fits) rows.push(item);
    last = item.position;
  }
  return { rows, next: null };
}

function checkChange({ id, version: stored, state }: StoredJob, version: number | null, to: ByHand): void {
  if (version !== null && version !== stored) {
    throw new EventPulseError(
      "ETAG_STALE",
      `Job ${id} is at version ${stored}, not ${version}: read it again, then repeat the change.`,
    );
  }
  if (changes[to].includes(state)) return;
  throw new EventPulseError(
    "STATE_CONFLICT",
    `Job ${id} is ${state}: only ${changes[to].join(" and ")} jobs become ${to}.`,
  );
}
