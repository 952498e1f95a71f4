import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Project } from "../../src/model/definition.ts";
import { type EmbeddedEvent, type EmbeddedOptions, startEmbedded } from "../../src/platforms/embedded/main.ts";
import { replaceFile } from "../replace-file.ts";
import { httpCalls, otherTenants, type Platform, type Running } from "./running.ts";

export interface EmbeddedRunning extends Running {
  readonly key: string;
  readonly dataDirectory: string;
  readonly configFile: string;
  /** The config in force. */
  project(): Project;
  /** What happened so far, oldest first. */
  readonly events: readonly EmbeddedEvent[];
}

type Options = Partial<Omit<EmbeddedOptions, "configFile" | "onEvent">>;

const tenantKeys = new Map(otherTenants.map((tenant) => [tenant, `the-key-of-the-tenant-${tenant}`]));

/** Past this the reload of a config has hung. */
const reloadMillisMax = 20_000;

/** Starts the embedded platform in this process, in a temporary folder, on a free port of loopback, watching its config. */
export async function startEmbeddedRunning(config: string, options: Options = {}): Promise<EmbeddedRunning> {
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-end-to-end-"));
  const configFile = join(folder, "eventpulse.config.ts");
  await writeFile(configFile, config);
  const events: EmbeddedEvent[] = [];
  const reloads = new Set<(event: EmbeddedEvent) => void>();
  const embedded = await startEmbedded({
    host: "127.0.0.1",
    port: 0,
    watch: true,
    tenantKeys,
    ...options,
    configFile,
    dataDirectory: options.dataDirectory ?? join(folder, "data"),
    onEvent(event) {
      events.push(event);
      for (const listener of [...reloads]) listener(event);
    },
  });
  const nextReload = () =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the config was not reloaded in time")), reloadMillisMax);
      const listener = (event: EmbeddedEvent) => {
        if (event.kind !== "reloaded" && event.kind !== "reload-failed") return;
        clearTimeout(timer);
        reloads.delete(listener);
        if (event.kind === "reloaded") resolve();
        else reject(event.error);
      };
      reloads.add(listener);
    });
  const outbox = join(embedded.dataDirectory, "outbox");
  const url = embedded.url.replace("0.0.0.0", "127.0.0.1");
  return {
    ...httpCalls(url, embedded.key),
    key: embedded.key,
    of: (tenant) => httpCalls(url, tenantKeys.get(tenant)),
    dataDirectory: embedded.dataDirectory,
    configFile,
    project: embedded.project,
    events,
    async reconfigure(text) {
      const reloaded = nextReload();
      await replaceFile(configFile, text);
      await reloaded;
    },
    async mails() {
      const names = await readdir(outbox).catch(() => []);
      return Promise.all(
        names.filter((name) => name.endsWith(".eml")).map((name) => readFile(join(outbox, name), "utf8")),
      );
    },
    async close() {
      await embedded.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const embeddedPlatform: Platform = { lacks: {}, start: (config) => startEmbeddedRunning(config) };
