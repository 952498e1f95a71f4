import type { Command } from "commander";
import type { Settings } from "../config/settings.ts";
import { EventPulseError } from "../model/error.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { openBrowser } from "./open-browser.ts";
import { packageVersion } from "./package-version.ts";
import { type Ready, type ServeEvent, type ServeReport, serve, shownPath } from "./serve.ts";
import { addSettingOptions, settingsOf } from "./setting-options.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

export function devCommand(): Command {
  const command = baseCommand(
    "dev",
    "run it here, and take over changes of the config",
    `Runs EventPulse on this machine, listens on loopback only unless --host says otherwise, and takes over the config whenever
it changes; a config that is wrong changes nothing and is told with file and line. Ctrl-C finishes what was accepted and
ends; a second one ends at once, and nothing that was accepted is lost even then.

With --json, one a line: {"event": "ready", "url", "key", "dataDirectory", "streams", "seconds", "curl"}, then
{"event": "reloaded", "streams"}, {"event": "reload-failed", "code", "message", "errors"}, {"event": "health", "problem"},
{"event": "error", "requestId", "message"}, {"event": "closed"}`,
  );
  addSettingOptions(command, [
    ...(["config", "port", "host", "data", "memory", "open"] as const),
    ...(["smtpUrl", "mailFrom", "key", "tenantKeys", "logLevel"] as const),
  ]);
  return command.action(async () => {
    const terminal = terminalFor(command);
    const settings = settingsOf(command);
    process.exitCode = await serve(
      settings,
      true,
      terminal.pretty ? prettyReport(terminal, settings) : jsonReport(terminal),
    );
  });
}

const interruptText = "Taking no more events, finishing what was accepted.";

function jsonReport(terminal: Terminal): ServeReport {
  const print = (value: unknown) => void terminal.write(`${JSON.stringify(value)}\n`);
  return {
    interruptText,
    ready: async ({ url, key, dataDirectory, project, seconds }) => {
      const curl = await curlFor({ url, key, project });
      print({ event: "ready", url, key, dataDirectory, streams: [...project.streams.keys()], seconds, curl });
    },
    event(event) {
      if (event.kind === "reloaded") print({ event: event.kind, streams: [...event.project.streams.keys()] });
      else if (event.kind === "reload-failed") print({ event: event.kind, ...errorFields(event.error) });
      else if (event.kind === "health") print({ event: event.kind, problem: event.problem });
      else print({ event: event.kind, requestId: event.requestId, message: errorFields(event.error).message });
    },
    closed: () => print({ event: "closed" }),
  };
}

export function errorFields(error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof EventPulseError)) return { code: "INTERNAL", message, errors: [] };
  return { code: error.code, message, errors: error.errors };
}

function prettyReport(terminal: Terminal, settings: Settings): ServeReport {
  return {
    interruptText,
    async ready(ready) {
      await terminal.write(`${await drawReady(terminal, settings, ready)}\n`);
      const first = [...ready.project.streams.keys()][0] ?? "";
      const elsewhere = ready.url === "http://127.0.0.1:8080" ? "" : ` --url ${ready.url}`;
      terminal.next(
        `eventpulse query ${first}${elsewhere}`,
        `eventpulse tail${elsewhere}`,
        `eventpulse status${elsewhere}`,
      );
      if (settings.open) openBrowser(ready.url);
    },
    event: (event) => sayEvent(terminal, settings, event),
    closed: () => terminal.say("Everything that was accepted is processed. Bye."),
  };
}

async function drawReady(terminal: Terminal, { config, memory }: Settings, ready: Ready): Promise<string> {
  const { url, key, dataDirectory, project, seconds } = ready;
  const curl = await curlFor(ready);
  const lines = [
    ["API", `${url}/v1`],
    ["Docs", `${url}/docs`],
    ["Health", `${url}/health/ready`],
    ["Key", key],
    ["Data", memory ? "in memory only: gone at the end" : shownPath(dataDirectory)],
    ["Config", `${shownPath(config)} (${[...project.streams.keys()].join(", ")})`],
  ];
  return [
    `${terminal.style("green", "✔")} ${terminal.style("bold", `EventPulse ${packageVersion()}`)} is ready in ${seconds.toFixed(1)} s`,
    "",
    ...lines.map(([name = "", value = ""]) => `  ${terminal.style("dim", name.padEnd(7))} ${visibleText(value)}`),
    ...(curl === null ? [] : ["", "Send an event:", "", curl]),
    "",
  ].join("\n");
}

async function curlFor({ url, key, project }: Pick<Ready, "url" | "key" | "project">): Promise<string | null> {
  const { sampleRequest } = await import("./sample-request.ts");
  // On loopback no key is asked for, and a shorter line is easier to read.
  const loopback = /^(localhost|127\.|\[::1\])/.test(new URL(url).hostname);
  return sampleRequest(project, url, loopback ? null : key, Date.now());
}

const rank = { trace: 0, debug: 1, info: 2, warn: 3, error: 4, silent: 5 } as const;

function sayEvent(terminal: Terminal, { config, logLevel }: Settings, event: ServeEvent): void {
  const say = (level: "info" | "warn" | "error", text: string) => {
    if (rank[level] >= rank[logLevel]) terminal.say(`${new Date().toTimeString().slice(0, 8)} ${text}`);
  };
  if (event.kind === "reloaded") {
    say(
      "info",
      `${terminal.style("green", "✔")} ${shownPath(config)} has changed and is in force (${[...event.project.streams.keys()].join(", ")}).`,
    );
  } else if (event.kind === "reload-failed") {
    const { message, errors } = errorFields(event.error);
    const reasons = errors.map(({ detail }) => `\n           ${visibleText(detail)}`).join("");
    say(
      "error",
      `${terminal.style("red", "✘")} ${shownPath(config)} has changed and is wrong; the one before stays in force. ${visibleText(message)}${reasons}`,
    );
  } else if (event.kind === "health") {
    if (event.problem === null) say("info", `${terminal.style("green", "✔")} All is well again.`);
    else say("warn", `${terminal.style("yellow", "!")} ${visibleText(event.problem)}`);
  } else {
    const stack = event.error instanceof Error ? (event.error.stack ?? event.error.message) : String(event.error);
    say(
      "error",
      `${terminal.style("red", "✘")} ${event.requestId}: ${stack.split("\n").map(visibleText).join("\n           ")}`,
    );
  }
}
