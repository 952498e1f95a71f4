import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { loadConfig } from "../../config/load.ts";
import { watchConfig } from "../../config/watch.ts";
import { type App, createApp } from "../../http/create-app.ts";
import { principalByKey } from "../../http/principal-by-key.ts";
import type { HealthCheck, LiveEvent, Principal, Services } from "../../http/services.ts";
import type { Project } from "../../model/definition.ts";
import { assert, EventPulseError } from "../../model/error.ts";
import { tenantDefault } from "../../model/glossary.ts";
import { limits } from "../../model/limits.ts";
import type { TenantKeys } from "../../model/tenant-keys.ts";
import type { EditJudgement } from "../../pipeline/failures/edit.ts";
import { noticeIssues } from "../../pipeline/failures/issue-notices.ts";
import { uploadRawMeta } from "../../pipeline/ingest/upload-metadata.ts";
import { deliverDue } from "../../pipeline/notify/deliver.ts";
import { outgoing } from "../../pipeline/notify/outgoing.ts";
import { compileContract } from "../../pipeline/process/compile-contract.ts";
import type { Contract } from "../../pipeline/process/contract.ts";
import { asset, packageVersion } from "./assets.ts";
import { type DataFolder, dataFolder } from "./data-folder.ts";
import type { Trial } from "./dry-run-thread.ts";
import { DryRunThread } from "./dry-run-thread-client.ts";
import { lockFolder } from "./folder-lock.ts";
import { type HttpServer, startHttpServer } from "./http-server.ts";
import { Ledger } from "./ledger.ts";
import { LiveHub } from "./live-hub.ts";
import { isLoopback, isLoopbackHostHeader } from "./loopback.ts";
import { captureMailer, smtpMailer } from "./mailer.ts";
import { prometheusText } from "./metrics.ts";
import { embeddedNotifier } from "./notifier.ts";
import { clearUnfinishedObjects, fileObjectStore, verifyUploadLink } from "./object-store.ts";
import type { Committed, Progress } from "./process-messages.ts";
import { ProcessThread } from "./process-thread-client.ts";
import { QueryThread } from "./query-thread-client.ts";
import { EmbeddedRawLog } from "./raw-log.ts";
import { readRaw } from "./read-raw.ts";
import { repeat } from "./repeat.ts";
import { type FolderSecrets, folderSecrets } from "./secrets.ts";
import { SimulatorLoop } from "./simulator-loop.ts";
import { storePorts } from "./store-ports.ts";

export interface EmbeddedOptions {
  readonly configFile: string;
  /** Made when it is not there. Not used when `memory`. */
  readonly dataDirectory: string;
  /** Keep nothing: a temporary data folder that is removed at the end. */
  readonly memory?: boolean;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Reload the config when it changes. */
  readonly watch?: boolean;
  /** `smtp://…`; null or left out: mails are captured in the data folder. */
  readonly smtpUrl?: string | null;
  readonly mailFrom?: string;
  /** The API key of the tenant `default`; null or left out: the one of the data folder. */
  readonly key?: string | null;
  /** Of all other tenants. */
  readonly tenantKeys?: TenantKeys | null;
  /** Default `limits.objectSecondsMax`. */
  readonly objectSecondsMax?: number;
  /** Default `limits.dryRunSecondsMax`. */
  readonly dryRunSecondsMax?: number;
  /** Default `limits.requestTimeoutSeconds`. */
  readonly requestTimeoutSeconds?: number;
  readonly onEvent?: (event: EmbeddedEvent) => void;
}

/** What happens while it runs, for whoever started it. */
export type EmbeddedEvent =
  | { readonly kind: "reloaded"; readonly project: Project }
  | { readonly kind: "reload-failed"; readonly error: unknown }
  /** Null: all is well again. */
  | { readonly kind: "health"; readonly problem: string | null }
  | { readonly kind: "error"; readonly error: unknown; readonly requestId: string };

export interface Embedded {
  readonly url: string;
  readonly key: string;
  readonly dataDirectory: string;
  /** The config in force. */
  project(): Project;
  /** Takes no more events, processes what was accepted, and stops. A second call joins the first. */
  close(): Promise<void>;
}

/** The parts that report their health on their own. */
type Part = "accept" | "process" | "query";

const deliverEveryMillis = 1_000;
/** Time for answers under way; then connections (live tails) are cut. */
const closeGraceMillis = 2_000;

/**
 * Runs a config on the embedded platform: one process, three threads. This one answers HTTP and writes the raw log; the
 * processing thread runs the pipeline and writes the database; the query thread reads it. A fourth comes for dry runs. Throws CONFIG_INVALID, and
 * SETTING_INVALID for a data folder in use or a port that is taken.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  // The young generation of this thread has its size from a flag (bin/server-settings.json), which in other threads would win over
  // their `resourceLimits`.
  setFlagsFromString("--max-semi-space-size=0");
  const { project } = await loadConfig(options.configFile);
  const directory = options.memory ? await mkdtemp(join(tmpdir(), "eventpulse-")) : resolve(options.dataDirectory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const folder = dataFolder(directory);
  const lock = lockFolder(folder.lock);
  const platform = new EmbeddedPlatform(options, directory, folder, project);
  const release = async () => {
    lock.release();
    if (options.memory) await rm(directory, { recursive: true, force: true });
  };
  try {
    await platform.start();
  } catch (error) {
    await platform.stop();
    await release();
    throw error;
  }
  let closing: Promise<void> | null = null;
  return {
    url: platform.url,
    key: platform.key,
    dataDirectory: directory,
    project: () => platform.project,
    close: () => {
      closing ??= platform.stop().finally(release);
      return closing;
    },
  };
}

class EmbeddedPlatform {
  project: Project;
  readonly #options: EmbeddedOptions;
  readonly #folder: DataFolder;
  readonly #secrets: FolderSecrets;
  readonly #processing: ProcessThread;
  readonly #dryRuns: DryRunThread<Trial>;
  #principalOf: (token: string) => Principal | null = () => null;
  readonly #simulators = new SimulatorLoop({
    raw: { append: (draft) => this.#running().rawLog.append(draft) },
    onError: (error) => this.#log(error, "simulator"),
  });
  readonly #live = new LiveHub<LiveEvent>((watched) => this.#processing.live(watched));
  readonly #app: App;
  #contracts: ReadonlyMap<string, Contract>;
  #ledger: Ledger | null = null;
  #rawLog: EmbeddedRawLog | null = null;
  #queries: QueryThread | null = null;
  #server: HttpServer | null = null;
  #processedBytes = 0;
  /** What is wrong right now, by part. */
  readonly #problems = new Map<Part, string>();
  #stopDelivery: (() => Promise<void>) | null = null;
  #stopWatching: (() => void) | null = null;

  constructor(options: EmbeddedOptions, directory: string, folder: DataFolder, project: Project) {
    this.#options = options;
    this.#folder = folder;
    this.project = project;
    this.#contracts = compile(project);
    this.#secrets = folderSecrets(folder.secrets);
    this.#processing = new ProcessThread({
      configFile: resolve(options.configFile),
      dataDirectory: directory,
      tenants: [tenantDefault, ...(options.tenantKeys?.keys() ?? [])],
      objectSecondsMax: options.objectSecondsMax ?? limits.objectSecondsMax,
      onProgress: (progress) => this.#onProgress(progress),
      onCommitted: (committed) => this.#onCommitted(committed),
      onHealth: (problem) => this.#onHealth("process", problem),
    });
    this.#dryRuns = new DryRunThread(resolve(options.configFile), options.dryRunSecondsMax);
    this.#app = createApp(this.#services());
  }

  get url(): string {
    const host = this.#options.host.includes(":") ? `[${this.#options.host}]` : this.#options.host;
    return `http://${host}:${this.#server?.port ?? this.#options.port}`;
  }

  get key(): string {
    return this.#options.key ?? this.#secrets.key;
  }

  async start(): Promise<void> {
    this.#principalOf = principalByKey(this.key, this.#options.tenantKeys ?? new Map());
    await clearUnfinishedObjects(this.#folder.objects);
    const progress = await this.#processing.start();
    const { checkpoint } = progress;
    const ledger = new Ledger(checkpoint);
    ledger.progress(progress);
    this.#ledger = ledger;
    this.#processedBytes = checkpoint.bytes;
    this.#rawLog = await EmbeddedRawLog.open({
      directory: this.#folder.rawLog,
      checkpoint,
      onDurable: (accepted, end) => {
        ledger.accept(accepted);
        this.#processing.durable(end);
      },
      onHealth: (problem) => this.#onHealth("accept", problem),
    });
    this.#queries = await QueryThread.start(this.#folder.database, (error) =>
      this.#onHealth("query", `Queries stopped: ${error.message}`),
    );
    this.#server = await this.#listen();
    this.#simulators.start(this.project, this.#contracts);
    this.#startDelivery();
    if (this.#options.watch) this.#stopWatching = watchConfig(this.#options.configFile, () => this.#reload()).close;
  }

  async stop(): Promise<void> {
    this.#stopWatching?.();
    await this.#simulators.stop();
    this.#app.close();
    await this.#server?.close(closeGraceMillis);
    await this.#rawLog?.close();
    await this.#stopDelivery?.();
    await this.#processing.stop(true);
    await this.#queries?.stop();
    await this.#dryRuns.stop();
  }

  async #listen(): Promise<HttpServer> {
    const { host, port, requestTimeoutSeconds = limits.requestTimeoutSeconds } = this.#options;
    try {
      return await startHttpServer({ host, port, requestTimeoutSeconds, fetch: this.#app.fetch });
    } catch (cause) {
      const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
      const reason = taken ? "it is in use; choose another with --port N (0 takes a free one)" : String(cause);
      throw new EventPulseError("SETTING_INVALID", `Cannot listen on ${host} port ${port}: ${reason}.`, { cause });
    }
  }

  #startDelivery(): void {
    const { smtpUrl, mailFrom = "EventPulse <eventpulse@localhost>" } = this.#options;
    const mailer = smtpUrl
      ? smtpMailer({ url: smtpUrl, from: mailFrom })
      : captureMailer({ directory: this.#folder.outbox, from: mailFrom });
    const { webhookSecret } = this.#secrets;
    const notifier = embeddedNotifier({ mailer, outgoing: outgoing({ webhookSecret, clock: Date.now, fetch }) });
    const { notifications: log, issues } = this.#processing.ports;
    this.#stopDelivery = repeat(
      deliverEveryMillis,
      async () => {
        await noticeIssues({ issues, project: this.project, clock: Date.now });
        await deliverDue({ log, notifier });
      },
      (error) => this.#log(error, "delivery"),
    );
  }

  async #reload(): Promise<void> {
    try {
      const { project } = await loadConfig(this.#options.configFile, { fresh: true });
      const contracts = compile(project);
      await this.#simulators.stop();
      try {
        await Promise.all([this.#processing.restart(), this.#dryRuns.stop()]);
        this.project = project;
        this.#contracts = contracts;
      } finally {
        this.#simulators.start(this.project, this.#contracts);
      }
      this.#options.onEvent?.({ kind: "reloaded", project });
    } catch (error) {
      this.#options.onEvent?.({ kind: "reload-failed", error });
    }
  }

  #onProgress(progress: Progress): void {
    this.#ledger?.progress(progress);
    this.#rawLog?.processed(progress.checkpoint.bytes - this.#processedBytes);
    this.#processedBytes = progress.checkpoint.bytes;
  }

  #onCommitted({ tenant, records, failures, anomalies, skipped }: Committed): void {
    const tell = (stream: string, event: LiveEvent) => this.#live.publish(tenant, stream, event);
    for (const record of records) tell(record.stream, { kind: "record", record });
    for (const failure of failures) tell(failure.stream, { kind: "failure", failure });
    for (const anomaly of anomalies) tell(anomaly.stream, { kind: "anomaly", anomaly });
    for (const [stream, count] of skipped) tell(stream, { kind: "skipped", count });
  }

  #onHealth(part: Part, problem: string | null): void {
    if (problem === null) this.#problems.delete(part);
    else this.#problems.set(part, problem);
    const [first = null] = this.#problems.values();
    this.#options.onEvent?.({ kind: "health", problem: first });
  }

  #log(error: unknown, requestId: string): void {
    this.#options.onEvent?.({ kind: "error", error, requestId });
  }

  #running() {
    assert(this.#rawLog !== null && this.#queries !== null && this.#ledger !== null, "requests come after the start");
    return { rawLog: this.#rawLog, queries: this.#queries.ports, ledger: this.#ledger };
  }

  #authenticate(token: string | null): Principal | null {
    // On loopback whoever reaches the port has the account's own rights already; a key that is sent must still be right.
    if (token === null) return isLoopback(this.#options.host) ? { name: "local", tenant: tenantDefault } : null;
    return this.#principalOf(token);
  }

  async #readiness(): Promise<readonly HealthCheck[]> {
    const check = async (name: string, detail: string, probe: () => Promise<unknown>): Promise<HealthCheck> => {
      try {
        await probe();
        return { name, ok: true, detail };
      } catch (error) {
        return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
      }
    };
    const { rawLog, queries } = this.#running();
    return Promise.all([
      check("accept", "The raw log takes flushes.", () => rawLog.probe()),
      check("process", "The processing thread writes to the database.", async () => {
        await this.#processing.ports.writer.ping();
        const problem = this.#problems.get("process");
        if (problem !== undefined) throw new Error(problem);
      }),
      check("query", "The database answers.", () => queries.records.objectResult("raw/none")),
    ]);
  }

  #services(): Services {
    const objects = fileObjectStore({
      directory: this.#folder.objects,
      clock: Date.now,
      secret: this.#secrets.linkSecret,
      baseUrl: () => this.url,
    });
    return {
      ...storePorts(this.#processing.ports, () => this.#running().queries),
      version: packageVersion(),
      project: () => this.project,
      contract: (stream) => this.#contracts.get(stream) ?? null,
      raw: { append: (draft) => this.#running().rawLog.append(draft) },
      objects,
      readRaw: (key) => readRaw(key, (logged) => this.#running().rawLog.read(logged), objects, uploadRawMeta),
      dryRun: (request) => this.#dryRuns.run({ kind: "events", request }),
      judgeEdit: async (request) => JSON.parse(await this.#dryRuns.run({ kind: "edit", request })) as EditJudgement,
      balance: async (tenant) => this.#running().ledger.balance(tenant, this.project.streams.keys()),
      readiness: () => this.#readiness(),
      metrics: () => this.#metrics(),
      subscribe: (tenant, stream, listener) => this.#live.subscribe(tenant, stream, listener),
      authenticate: (token) => this.#authenticate(token),
      hostAllowed: (host) => !isLoopback(this.#options.host) || isLoopbackHostHeader(host),
      publicUrl: () => this.url,
      verifyUploadLink: (url) => verifyUploadLink(this.#secrets.linkSecret, url, Date.now()),
      asset,
      log: (error, requestId) => this.#log(error, requestId),
    };
  }

  async #metrics(): Promise<string> {
    const { rawLog, ledger, queries } = this.#running();
    // Without the query thread the rest is worth more than ever; readiness says that it is gone.
    const failures = await queries.metrics.failures().catch(() => []);
    return prometheusText({
      version: packageVersion(),
      balance: ledger.total(this.project.streams.keys()),
      failures,
      inFlightBytes: rawLog.inFlightBytes,
      accepting: rawLog.problem === null,
      uptimeSeconds: process.uptime(),
      residentBytes: process.memoryUsage.rss(),
    });
  }
}

function compile(project: Project): ReadonlyMap<string, Contract> {
  return new Map([...project.streams].map(([name, stream]) => [name, compileContract(stream)]));
}
