/**
 * The processing thread: the pipeline behind the raw log, and the only writer of the database. Started by `ProcessThread`;
 * speaks the messages of `process-messages.ts`.
 */
import { parentPort, workerData } from "node:worker_threads";
import { loadConfig } from "../../config/load.ts";
import { assert } from "../../model/error.ts";
import type { Outcome, OutcomeResult } from "../../model/outcome.ts";
import type { RawObject } from "../../model/raw-object.ts";
import { uploadRawMeta } from "../../pipeline/ingest/upload-metadata.ts";
import { compileContract } from "../../pipeline/process/compile-contract.ts";
import type { AnomalyLog } from "../../ports/anomaly-log.ts";
import type { SilenceOutcome } from "../../ports/detector-states.ts";
import type { WorkMessage } from "../../ports/work-queue.ts";
import { sqliteAnomalyLog } from "./anomaly-log.ts";
import { sqliteAuditLog } from "./audit-log.ts";
import { committedRows, silentRows } from "./committed-rows.ts";
import { recordContractVersions } from "./contract-versions.ts";
import { readCounters } from "./counters.ts";
import { dataFolder } from "./data-folder.ts";
import { type Database, openDatabase } from "./database.ts";
import { DetectorCache } from "./detector-cache.ts";
import { sqliteDetectorStates } from "./detector-states.ts";
import { sqliteFailureLog } from "./failure-log.ts";
import { readFalsePositives } from "./false-positives.ts";
import { sqliteIssueLog } from "./issue-log.ts";
import { itemSuspects } from "./item-suspects.ts";
import { sqliteJobLog } from "./job-log.ts";
import { commitStep } from "./job-loop.ts";
import { sqliteNotificationLog } from "./notification-log.ts";
import { fileObjectStore } from "./object-store.ts";
import { sqliteOutcomes } from "./outcomes.ts";
import { ProcessLoop } from "./process-loop.ts";
import {
  type Checkpoint,
  checkpointStart,
  type MessageFromProcess,
  type MessageToProcess,
  type ProcessThreadData,
  type Progress,
  type Writer,
} from "./process-messages.ts";
import type { RawPosition } from "./raw-position.ts";
import { RawReader } from "./raw-reader.ts";
import { readRaw } from "./read-raw.ts";
import { sqliteRecordTable } from "./record-table.ts";
import { RetentionSchedule } from "./retention-schedule.ts";
import { SilenceLoop } from "./silence-loop.ts";
import { tenantStream } from "./tenant-stream.ts";
import { serveCalls } from "./thread-calls.ts";
import { lowerThreadPriority } from "./thread-priority.ts";
import { waitingUploads } from "./waiting-uploads.ts";
import { sqliteWorkQueue } from "./work-queue.ts";

assert(parentPort !== null, "the processing thread is started as a worker");
lowerThreadPriority(10);
const port = parentPort;
const { configFile, dataDirectory, tenants, careful } = workerData as ProcessThreadData;
const folder = dataFolder(dataDirectory);
const { project } = await loadConfig(configFile);
const database = openDatabase(folder.database, { mode: "write" });
const outcomes = sqliteOutcomes(database, Date.now);
const records = sqliteRecordTable(database, Date.now);
const failures = sqliteFailureLog(database, Date.now);
const issues = sqliteIssueLog(database, Date.now);
const jobs = sqliteJobLog(database, Date.now);
const audit = sqliteAuditLog(database, Date.now);
const anomalies = sqliteAnomalyLog(database, Date.now);
const notifications = sqliteNotificationLog(database, Date.now);
const queue = sqliteWorkQueue(database, Date.now);
queue.recover();
const objects = fileObjectStore({ directory: folder.objects, clock: Date.now });
const states = new DetectorCache(records);
const reader = new RawReader(folder.rawLog);
// A second reader: looking up a single object must not disturb the read-ahead of the log.
const singleReader = new RawReader(folder.rawLog);

let checkpoint = readCheckpoint(database);
const crashedHere = noteStart();
let live = false;
let lastRead: RawObject | null = null;
let lastReadAt = 0;
const forgetMillis = 5_000;
setInterval(() => {
  if (Date.now() - lastReadAt > forgetMillis) lastRead = null;
}, forgetMillis).unref();

const contracts = new Map([...project.streams].map(([name, stream]) => [name, compileContract(stream)]));
for (const tenant of tenants) recordContractVersions(database, tenant, contracts.values(), Date.now());
const silence = new SilenceLoop({
  project,
  states: sqliteDetectorStates(database, Date.now),
  clock: Date.now,
  onCommitted: onSilence,
  onHealth: (problem) => post({ kind: "health", problem }),
});
const loop = new ProcessLoop({
  project,
  contracts,
  reader,
  readRaw: readRawOnce,
  records: states,
  failures,
  queue,
  jobs,
  commit,
  commitStep: (step, done) => commitStep({ database, outcomes, failures, jobs, queue, project }, step, done),
  abandonStep: (result, done) =>
    database.transaction(() => {
      jobs.finishStepSync(result);
      queue.acknowledgeSync(done);
    }),
  acknowledge: (done) => queue.acknowledgeSync(done),
  suspects: itemSuspects(database, folder.trying),
  onCommitted,
  onHealth: (problem) => post({ kind: "health", problem }),
  suspect: {
    note: ({ segment, offset }) => noteSuspect(`${segment}:${offset}`),
    clear: () => database.meta.set("suspect", ""),
  },
  betweenBatches: (seenUntil) => silence.look(seenUntil),
  checkpoint,
  careful: careful || crashedHere,
  clock: Date.now,
  random: Math.random,
});
const retention = new RetentionSchedule({
  database,
  objects,
  rawLog: folder.rawLog,
  project,
  processed: () => loop.position,
  clock: Date.now,
});

serveCalls(port, {
  failures: reporting(failures),
  issues,
  jobs: reporting(jobs),
  audit,
  anomalies: { ...anomalies, annotate },
  queue: reporting(queue),
  notifications,
  writer: { ping } satisfies Writer,
});
port.on("message", (message: Partial<MessageToProcess>) => {
  if (message.kind === "durable") loop.durable((message as MessageToProcess & { kind: "durable" }).position);
  else if (message.kind === "live") live = (message as MessageToProcess & { kind: "live" }).on;
  else if (message.kind === "stop") loop.stop((message as MessageToProcess & { kind: "stop" }).drain);
});
post({ kind: "ready", progress: progress() });
retention.start();
await loop.run();
retention.stop();
reader.close();
singleReader.close();
database.meta.set("running", "");
database.close();
port.close();

async function annotate(...parameters: Parameters<AnomalyLog["annotate"]>): ReturnType<AnomalyLog["annotate"]> {
  const changed = await anomalies.annotate(...parameters);
  const [tenant] = parameters;
  if (changed !== null) {
    states.noteFalsePositives(tenant, changed, readFalsePositives(database, tenant, changed.rule, changed.key));
  }
  return changed;
}

async function ping() {
  const { busyMillis } = loop;
  database.meta.set("ping", String(Date.now()));
  return { busyMillis };
}

function commit(
  batch: readonly Outcome[],
  position: RawPosition | null,
  bytes: number,
  done: readonly WorkMessage[],
): readonly OutcomeResult[] {
  const next = position === null ? checkpoint : checkpointAt(position, bytes, batch);
  const results = database.transaction(() => {
    if (position !== null) database.meta.set("checkpoint", JSON.stringify(next));
    for (const message of done) queue.acknowledgeSync(message);
    return outcomes.commitSync(batch);
  });
  // Only now: a commit that failed is tried again from the same place.
  checkpoint = next;
  return results;
}

function checkpointAt({ segment, offset }: RawPosition, bytes: number, batch: readonly Outcome[]): Checkpoint {
  const events = { ...checkpoint.events };
  for (const { meta } of batch) {
    const key = tenantStream(meta.tenant, meta.stream);
    events[key] = (events[key] ?? 0) + meta.events;
  }
  return { segment, offset, bytes: checkpoint.bytes + bytes, events };
}

function onCommitted(batch: readonly Outcome[], results: readonly OutcomeResult[]): void {
  states.trim();
  post({ kind: "progress", progress: progress() });
  if (!live) return;
  void committedRows({ records, failures, anomalies }, batch, results).then((committed) =>
    post({ kind: "committed", committed }),
  );
}

/** The next outcome builds on what was stored. */
function onSilence(silences: readonly SilenceOutcome[]): void {
  states.clear();
  if (!live) return;
  void silentRows(anomalies, silences).then((committed) => post({ kind: "committed", committed }));
}

function progress(): Progress {
  return database.transaction(() => {
    return { checkpoint, counters: readCounters(database), uploads: waitingUploads(database) };
  });
}

/** Methods that change the balance report it before they answer: who asks next sees it. */
function reporting<Port extends object>(target: Port): Port {
  return new Proxy(target, {
    get(_, method) {
      const called = (target as Record<string, (...parameters: unknown[]) => Promise<unknown>>)[String(method)];
      return async (...parameters: unknown[]) => {
        const result = await called?.apply(target, parameters);
        loop.wake();
        post({ kind: "progress", progress: progress() });
        return result;
      };
    },
  });
}

/** Retries of one object come together: it is read, and its events found, once for all of them. */
async function readRawOnce(key: string): Promise<RawObject | null> {
  if (lastRead?.key !== key)
    lastRead = await readRaw(key, (logged) => singleReader.read(logged), objects, uploadRawMeta);
  lastReadAt = Date.now();
  return lastRead;
}

/** Whether the last run crashed where it had begun. What lies there may end the whole process (native memory, a signal), again and again. */
function noteStart(): boolean {
  const here = `${checkpoint.segment}:${checkpoint.offset}`;
  const crashed = database.meta.get("running") === here;
  database.meta.set("running", here);
  return crashed;
}

/** Notes what is about to be tried; answers how often that was noted before. */
function noteSuspect(what: string): number {
  const noted = JSON.parse(database.meta.get("suspect") || "null") as { what: string; count: number } | null;
  const count = noted?.what === what ? noted.count : 0;
  database.meta.set("suspect", JSON.stringify({ what, count: count + 1 }));
  return count;
}

function readCheckpoint(source: Database): Checkpoint {
  const text = source.meta.get("checkpoint");
  return text === null ? checkpointStart : (JSON.parse(text) as Checkpoint);
}

function post(message: MessageFromProcess): void {
  port.postMessage(message);
}
