import * as z from "zod";
import { failureClasses, failureStates } from "../model/failure.ts";
import {
  type ItemResult,
  itemResults,
  type Job,
  type JobPlan,
  type JobSelection,
  jobActions,
  jobModes,
  jobStates,
} from "../model/job.ts";
import { conditionOperators } from "../model/page.ts";
import { described, named, timeText } from "./described.ts";

const conditionSchema = z.object({ field: z.string(), operator: z.enum(conditionOperators), value: z.string() });

const filterSchema = z.object({
  stream: z.string().nullable(),
  state: z.enum(failureStates).nullable(),
  class: z.enum(failureClasses).nullable(),
  code: z.string().nullable(),
  fingerprint: z.string().nullable(),
  from: timeText("Last seen, inclusive.").nullable(),
  to: timeText("Last seen, exclusive.").nullable(),
  where: z.array(conditionSchema),
  contains: z.string().nullable(),
});

const selectionSchema = described(
  "What it was started for; what that matched then are its items.",
  z.union([
    z.object({ kind: z.literal("ids"), ids: z.array(z.string()) }),
    z.object({ kind: z.literal("filter"), filter: filterSchema }),
    z.object({
      kind: z.literal("raw"),
      stream: z.string(),
      from: timeText("Received, inclusive."),
      to: timeText("Received, exclusive."),
    }),
  ]),
);

/** Item results with a count each; those that no item has are left out. */
const resultsSchema = z.object(
  Object.fromEntries(itemResults.map((result) => [result, z.int().optional()])) as Record<
    ItemResult,
    z.ZodOptional<z.ZodInt>
  >,
);

export const jobSchema = named(
  "Job",
  "Work on many failures or raw objects, in steps, that survives a restart.",
  z.object({
    id: z.string(),
    action: z.enum(jobActions),
    mode: z.enum(jobModes),
    selection: selectionSchema,
    mending: described("The recipe that mends its events.", z.unknown().nullable()),
    canary: described("Items after which it pauses unless all were recovered.", z.int().nullable()),
    ratePerSecond: z.number().nullable(),
    createdBy: z.string(),
    reason: z.string().nullable(),
    state: z.enum(jobStates),
    stateReason: described("Why it is in this state, where that is not plain.", z.string().nullable()),
    items: z.int(),
    results: described("Items by what became of them; the rest is still to do.", resultsSchema),
    reasons: described(
      "Why items fail, most frequent first.",
      z.array(
        z.object({
          code: z.string(),
          pointer: z.string(),
          detail: z.string(),
          count: z.int(),
          exampleId: z.string(),
        }),
      ),
    ),
    samples: described(
      "The first few items, as JSON texts with personal fields masked, each cut short.",
      z.array(
        z.object({
          target: z.string(),
          result: z.enum(itemResults),
          before: z.string().nullable(),
          after: z.string().nullable(),
          output: described("What became of it.", z.string().nullable()),
        }),
      ),
    ),
    createdAt: timeText("When it was asked for."),
    startsAt: timeText("When it starts: later than `createdAt` when there is a grace period."),
    finishedAt: timeText("When nothing was left to do.").nullable(),
    step: described("Number of the step to come.", z.int()),
    version: described("Counts changes of state; the ETag.", z.int()),
  }),
);

export const jobExample = {
  id: "job_019c13e2f4d07b1a96c3e58d20f4a7c1",
  action: "replay" as const,
  mode: "run" as const,
  selection: { kind: "ids" as const, ids: ["fail_019c13d0a7b24e6f8a51c0de"] },
  mending: null,
  canary: null,
  ratePerSecond: null,
  createdBy: "ops",
  reason: "the contract takes texts now",
  state: "running" as const,
  stateReason: null,
  items: 1,
  results: {},
  reasons: [],
  samples: [],
  createdAt: "2026-01-31T12:20:00.000Z",
  startsAt: "2026-01-31T12:20:00.000Z",
  finishedAt: null,
  step: 1,
  version: 1,
};

export const jobPlanSchema = named(
  "JobPlan",
  "What a replay would meet: counted over all that is selected, nothing changed.",
  z.object({
    items: z.int(),
    bytes: z.int(),
    oldestAt: timeText("First seen.").nullable(),
    newestAt: timeText("First seen.").nullable(),
    firstExpiresAt: timeText("When retention removes the first of them.").nullable(),
    streams: described("Items by stream.", z.record(z.string(), z.int())),
    states: described("Items by state.", z.record(z.string(), z.int())),
    issues: described(
      "Items by issue, most first.",
      z.array(z.object({ id: z.string(), code: z.string(), pointer: z.string(), count: z.int() })),
    ),
    edited: described("Have an edit that is kept.", z.int()),
    duplicatesExpected: described("Whose record is stored already.", z.int()),
    replayable: described("In a state that a replay takes; the rest would be skipped.", z.int()),
    unrecoverable: z.int(),
  }),
);

export const jobPlanExample = {
  items: 201,
  bytes: 48_211,
  oldestAt: "2026-01-31T12:00:00.412Z",
  newestAt: "2026-01-31T14:07:11.020Z",
  firstExpiresAt: "2026-02-07T12:00:00.412Z",
  streams: { orders: 201 },
  states: { quarantined: 201 },
  issues: [{ id: "iss_9d7c5f20e3ab", code: "CONTRACT_BROKEN", pointer: "/total", count: 201 }],
  edited: 1,
  duplicatesExpected: 0,
  replayable: 201,
  unrecoverable: 0,
};

export const jobItemSchema = named(
  "JobItem",
  "One failure or raw object of a job.",
  z.object({
    position: described("1, 2, 3, …", z.int()),
    target: described("`fail_…`, or the key of a raw object.", z.string()),
    result: described("null: still to do.", z.enum(itemResults).nullable()),
    detail: z.string().nullable(),
    recordId: z.string().nullable(),
  }),
);

export const jobItemExample = {
  position: 1,
  target: "fail_019c13d0a7b24e6f8a51c0de",
  result: "recovered" as const,
  detail: null,
  recordId: "evt_4199c2bd4c003f1d8a5be27c90aa1b2c",
};

const time = (millis: number) => new Date(millis).toISOString();
const timeOrNull = (millis: number | null) => (millis === null ? null : time(millis));

/** A job as the API shows it: everything but the tenant. */
export function jobJson({ tenant: _, ...job }: Job): string {
  const view: z.input<typeof jobSchema> = {
    ...job,
    selection: selectionView(job.selection),
    reasons: [...job.reasons],
    samples: [...job.samples],
    createdAt: time(job.createdAt),
    startsAt: time(job.startsAt),
    finishedAt: timeOrNull(job.finishedAt),
  };
  return JSON.stringify(view);
}

function selectionView(selection: JobSelection): z.input<typeof selectionSchema> {
  if (selection.kind === "ids") return { kind: "ids", ids: [...selection.ids] };
  if (selection.kind === "raw") return { ...selection, from: time(selection.from), to: time(selection.to) };
  const { filter } = selection;
  const times = { from: timeOrNull(filter.from), to: timeOrNull(filter.to) };
  return { kind: "filter", filter: { ...filter, ...times, where: [...filter.where] } };
}

/** A plan as the API shows it. */
export function jobPlanView(plan: JobPlan): z.input<typeof jobPlanSchema> {
  return {
    ...plan,
    issues: [...plan.issues],
    oldestAt: timeOrNull(plan.oldestAt),
    newestAt: timeOrNull(plan.newestAt),
    firstExpiresAt: timeOrNull(plan.firstExpiresAt),
  };
}
