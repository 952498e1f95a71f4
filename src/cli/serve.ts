import { relative } from "node:path";
import type { Settings } from "../config/settings.ts";
import type { Project } from "../model/definition.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { onInterrupt } from "./interrupt.ts";

/** What `dev` and `start` tell of, each in its own way. */
export interface ServeReport {
  ready(ready: Ready): Promise<void>;
  event(event: ServeEvent): void;
  /** What the first Ctrl-C says. */
  readonly interruptText: string;
  closed(): void;
}

export interface Ready {
  readonly url: string;
  readonly key: string;
  readonly dataDirectory: string;
  readonly project: Project;
  /** Seconds from the start of the process. */
  readonly seconds: number;
}

export type ServeEvent =
  | { readonly kind: "reloaded"; readonly project: Project }
  | { readonly kind: "reload-failed"; readonly error: unknown }
  | { readonly kind: "health"; readonly problem: string | null }
  | { readonly kind: "error"; readonly error: unknown; readonly requestId: string };

/**
 * Runs the embedded platform until Ctrl-C or SIGTERM, then takes no more events, processes what was accepted and ends. Throws
 * CONFIG_INVALID and SETTING_INVALID.
 */
export async function serve(settings: Settings, watch: boolean, report: ServeReport): Promise<ExitCode> {
  const { startEmbedded } = await import("../platforms/embedded/main.ts");
  using interrupt = onInterrupt(report.interruptText);
  const interrupted = new Promise<void>((resolve) => {
    interrupt.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const embedded = await startEmbedded({
    configFile: settings.config,
    dataDirectory: settings.data,
    memory: settings.memory,
    host: settings.host,
    port: settings.port,
    watch,
    smtpUrl: settings.smtpUrl,
    mailFrom: settings.mailFrom,
    key: settings.key,
    tenantKeys: settings.tenantKeys,
    onEvent: (event) => report.event(event),
  });
  await report.ready({
    url: embedded.url,
    key: embedded.key,
    dataDirectory: embedded.dataDirectory,
    project: embedded.project(),
    seconds: Math.round(performance.now()) / 1000,
  });
  await interrupted;
  await embedded.close();
  report.closed();
  return exitCodes.ok;
}

/** A path as a person would write it from here. */
export function shownPath(path: string): string {
  const here = relative(process.cwd(), path);
  return here === "" ? "." : here.startsWith("..") ? path : here;
}
