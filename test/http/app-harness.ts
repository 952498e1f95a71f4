import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { createApp } from "../../src/http/create-app.ts";
import type { LiveEvent, Services } from "../../src/http/services.ts";
import type { Project } from "../../src/model/definition.ts";
import { EventPulseError } from "../../src/model/error.ts";
import type { Balance } from "../../src/model/outcome.ts";
import type { RawDraft, RawObject } from "../../src/model/raw-object.ts";
import type { ProjectRecipe, Recipe } from "../../src/model/recipe.ts";
import { judgeEdit } from "../../src/pipeline/failures/edit.ts";
import { uploadRawMeta } from "../../src/pipeline/ingest/upload-metadata.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { dryRun } from "../../src/pipeline/process/dry-run.ts";
import { processRaw } from "../../src/pipeline/process/process-raw.ts";
import { sqliteAnomalyLog } from "../../src/platforms/embedded/anomaly-log.ts";
import { sqliteAuditLog } from "../../src/platforms/embedded/audit-log.ts";
import { listContractVersions, recordContractVersions } from "../../src/platforms/embedded/contract-versions.ts";
import { openDatabase } from "../../src/platforms/embedded/database.ts";
import { sqliteFailureLog } from "../../src/platforms/embedded/failure-log.ts";
import { sqliteIssueLog } from "../../src/platforms/embedded/issue-log.ts";
import { sqliteJobLog } from "../../src/platforms/embedded/job-log.ts";
import { sqliteNotificationLog } from "../../src/platforms/embedded/notification-log.ts";
import { fileObjectStore, verifyUploadLink } from "../../src/platforms/embedded/object-store.ts";
import { sqliteRecordTable } from "../../src/platforms/embedded/record-table.ts";
import { sqliteWorkQueue } from "../../src/platforms/embedded/work-queue.ts";
import { streamOf } from "../pipeline/stream-of.ts";

export const origin = "http://localhost:8080";
const linkSecret = "a secret of the tests";

const orders = streamOf(
  z.object({
    id: z.string(),
    total: z.number().nonnegative(),
    country: z.string().optional(),
    at: z.iso.datetime().optional(),
  }),
  {
    key: "id",
    owner: [{ kind: "webhook", url: "https://user:pass@hooks.example.com/in?token=hidden", secret: "whsec_hidden" }],
    transform: (event) => {
      const order = event as { total: number };
      return order.total === 0 ? null : { ...order, cents: Math.round(order.total * 100) };
    },
  },
);
const notes = streamOf(z.looseObject({}), { name: "notes" });
/** Has personal data. */
const customers = streamOf(
  z.looseObject({ id: z.string(), email: z.string(), age: z.number(), born: z.looseObject({}).optional() }),
  { name: "customers", key: "id", pii: ["email", "born"] },
);

const totals: Recipe = {
  name: "totals",
  description: "Texts become numbers.",
  steps: [{ do: "cast", path: "/total", to: "number" }],
};

export const project: Project = {
  name: "shop",
  streams: new Map([
    ["orders", orders],
    ["notes", notes],
    ["customers", customers],
  ]),
  anomalies: [
    {
      kind: "anomaly",
      name: "spend",
      stream: "orders",
      fields: ["cents"],
      per: "country",
      detect: { kind: "range", low: null, high: 100_000 },
    },
  ],
  alerts: [],
  sources: [],
  recipes: new Map<string, ProjectRecipe>([
    ["totals", { kind: "recipe", recipe: totals }],
    ["by-hand", { kind: "function", name: "by-hand", apply: (event) => event }],
  ]),
};

export interface TestApp {
  /** A request as the platform would hand it over: the body beside it. `path` may be a whole URL. */
  request(path: string, init?: TestRequest): Promise<Response>;
  /** Sends events to a stream as JSON, and fails the test unless they are accepted. */
  send(stream: string, events: unknown): Promise<void>;
  /** Processes all that was accepted or enqueued, as the processing thread would. */
  process(): Promise<void>;
  /** What the live tail has subscribed to. */
  readonly listeners: Set<(event: LiveEvent) => void>;
  readonly logged: unknown[];
  readonly app: ReturnType<typeof createApp>;
  close(): Promise<void>;
}
export interface TestRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** The HTTP app over the embedded stores in a temporary folder; only the raw log is an array. */
export async function startApp(overrides: Partial<Services> = {}): Promise<TestApp> {
  const directory = await mkdtemp(join(tmpdir(), "eventpulse-http-"));
  // Opened when it is needed first: most tests of the conventions never get that far.
  let opened: ReturnType<typeof openStores> | null = null;
  const stores = () => {
    opened ??= openStores(directory);
    return opened;
  };
  const objects = fileObjectStore({
    directory: join(directory, "objects"),
    clock: Date.now,
    secret: linkSecret,
    baseUrl: () => origin,
  });
  const contracts = new Map([...project.streams].map(([name, stream]) => [name, compileContract(stream)]));
  const accepted: RawObject[] = [];
  const waiting: RawObject[] = [];
  const listeners = new Set<(event: LiveEvent) => void>();
  const logged: unknown[] = [];
  const services: Services = {
    version: "0.0.0-test",
    project: () => project,
    contract: (stream) => contracts.get(stream) ?? null,
    raw: {
      async append(draft: RawDraft) {
        const day = new Date(draft.meta.receivedAt).toISOString().slice(0, 10).replaceAll("-", "/");
        const key = `raw/${draft.meta.stream}/${day}/${String(accepted.length).padStart(16, "0")}`;
        accepted.push({ key, ...draft });
        waiting.push({ key, ...draft });
        return key;
      },
    },
    objects,
    get queue() {
      return stores().queue;
    },
    get records() {
      return stores().records;
    },
    contracts: {
      async list(tenant, stream) {
        recordContractVersions(stores().database, "default", contracts.values(), Date.UTC(2026, 0, 31));
        return listContractVersions(stores().database, tenant, stream);
      },
    },
    get anomalies() {
      return stores().anomalies;
    },
    get failures() {
      return stores().failures;
    },
    get notifications() {
      return stores().notifications;
    },
    get issues() {
      return stores().issues;
    },
    get jobs() {
      return stores().jobs;
    },
    get audit() {
      return stores().audit;
    },
    async judgeEdit(request) {
      const contract = contracts.get(request.failure.stream);
      assert.ok(contract !== undefined);
      return judgeEdit(request, contract);
    },
    readRaw: async (key) => accepted.find((raw) => raw.key === key) ?? null,
    dryRun: async ({ stream, ...request }) => {
      const contract = contracts.get(stream);
      assert.ok(contract !== undefined);
      return JSON.stringify(await dryRun({ ...request, contract }));
    },
    balance: async () =>
      new Map([
        ["orders", balanceOf(5)],
        ["notes", balanceOf(1)],
      ]),
    readiness: async () => [{ name: "write path", ok: true, detail: "works" }],
    metrics: async () => "# TYPE eventpulse_up gauge\neventpulse_up 1\n",
    subscribe: (_tenant, _stream, listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    authenticate: (token) =>
      token === null || token === "right" ? { name: token === null ? "local" : "key", tenant: "default" } : null,
    hostAllowed: (host) => host === "localhost:8080",
    publicUrl: () => origin,
    verifyUploadLink: (url) => verifyUploadLink(linkSecret, url, Date.now()),
    asset: (name) => new TextEncoder().encode(`/* ${name} */`),
    log: (error) => void logged.push(error),
  };
  // Not by spreading, which would open the stores.
  Object.defineProperties(services, Object.getOwnPropertyDescriptors(overrides));
  const app = createApp(services);
  const commit = async (raw: RawObject) => {
    const contract = contracts.get(raw.meta.stream);
    if (contract === undefined) throw new Error(`no contract of ${raw.meta.stream}`);
    const { records } = stores();
    const context = { project, contract, records, random: () => 0.5 };
    await records.commit([await processRaw(raw, { kind: "object" }, null, context)]);
  };
  const uploaded = async (key: string): Promise<RawObject> => {
    const [file, body] = [await objects.head(key), await objects.get(key)];
    const meta = file === null ? null : uploadRawMeta(file.metadata);
    if (meta === null || body === null) throw new Error(`${key} is not an uploaded file`);
    return { key, meta, body };
  };
  const request = (path: string, init: TestRequest = {}) => {
    const url = path.startsWith("http") ? path : `${origin}${path}`;
    const body = typeof init.body === "string" ? Buffer.from(init.body) : (init.body ?? new Uint8Array());
    return app.fetch(
      new Request(url, { method: init.method ?? "GET", headers: { ...init.headers }, signal: init.signal ?? null }),
      {
        async readBody(bytesMax) {
          if (body.length > bytesMax)
            throw new EventPulseError("BODY_TOO_LARGE", `The body is larger than ${bytesMax} bytes.`);
          return body;
        },
      },
    );
  };
  return {
    request,
    async send(stream, events) {
      const response = await request(`/v1/streams/${stream}/events`, { method: "POST", body: JSON.stringify(events) });
      if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
    },
    async process() {
      for (const raw of waiting.splice(0)) await commit(raw);
      const { queue } = stores();
      for (const message of await queue.receive(10)) {
        if (message.work.kind === "upload") await commit(await uploaded(message.work.rawKey));
        await queue.acknowledge(message);
      }
    },
    listeners,
    logged,
    app,
    async close() {
      app.close();
      opened?.database.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function openStores(directory: string) {
  const database = openDatabase(join(directory, "records.db"), { mode: "write" });
  return {
    database,
    records: sqliteRecordTable(database, Date.now),
    queue: sqliteWorkQueue(database, Date.now),
    anomalies: sqliteAnomalyLog(database, Date.now),
    failures: sqliteFailureLog(database, Date.now),
    notifications: sqliteNotificationLog(database, Date.now),
    issues: sqliteIssueLog(database, Date.now),
    jobs: sqliteJobLog(database, Date.now),
    audit: sqliteAuditLog(database, Date.now),
  };
}

function balanceOf(stored: number): Balance {
  return { accepted: stored + 1, stored, dropped: 0, quarantined: 0, dead: 0, inFlight: 1, duplicates: 2 };
}

/** Runs a test with an app of its own. */
export function withApp(body: (app: TestApp) => Promise<void>, overrides: Partial<Services> = {}) {
  return async () => {
    const app = await startApp(overrides);
    try {
      await body(app);
    } finally {
      await app.close();
    }
  };
}

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
}

/** Reads a problem, and fails unless it has the form that every problem has. */
export async function problemOf(response: Response): Promise<ProblemBody> {
  const type = response.headers.get("content-type");
  if (type !== "application/problem+json")
    throw new Error(`${response.status} came as ${type}: ${await response.text()}`);
  const problem = (await response.json()) as ProblemBody;
  const members = Object.keys(problem).filter((name) => name !== "instance");
  const expected = ["type", "title", "status", "detail", "code", "requestId", "errors"];
  if (members.join() !== expected.join()) throw new Error(`the problem has the members ${members.join()}`);
  if (problem.status !== response.status) throw new Error(`status ${problem.status} came with ${response.status}`);
  if (problem.requestId !== response.headers.get("x-request-id"))
    throw new Error("the request id is not that of the header");
  return problem;
}

/** JSON of an answer that must be a success. */
export async function jsonOf<Body>(response: Response | Promise<Response>): Promise<Body> {
  const answer = await response;
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Body;
}

export interface PageBody<Row> {
  readonly data: readonly Row[];
  readonly page: { readonly next: string | null; readonly limit: number };
}

export async function readJson<Value>(path: string): Promise<Value> {
  return JSON.parse(await readFile(path, "utf8")) as Value;
}
