import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { outputMatches, outputStarts, parseDocument, type Step } from "./document.ts";

const commandSecondsMax = 180;
const startSecondsMax = 60;
/** Processing is asynchronous: a reader who asks again a moment later sees it, so a question that only reads is asked again. */
const repeatSecondsMax = 20;

/** A command that keeps its terminal until it is stopped; the reader goes on in a second one. */
const serves = /\b(?:npm (?:run )?start|eventpulse(?: --)? (?:dev|start))\b[^|&;]*$/;
const servesInBackground = /\b(?:npm (?:run )?start|eventpulse(?: --)? (?:dev|start))\b.*&\s*$/m;
const writes = /\s(?:-X|--request|-d|--data\S*|-T|--upload-file|-F)\b|eventpulse|npm run/;

export interface ReaderOptions {
  /** Where the commands run: a copy that may be changed. */
  readonly folder: string;
  /** A free port, which stands in for 8080 in commands, files and output. */
  readonly port: number;
}

/** Does what a document says, as its reader would, and returns what was not as written. Ends what it started. */
export async function readAlong(markdown: string, options: ReaderOptions): Promise<string[]> {
  const { parts, problems } = parseDocument(markdown);
  const wrong = [...problems];
  const reader = new Reader(options);
  try {
    for (const part of parts) {
      if ("name" in part) reader.save(part.name, part.text);
      else wrong.push(...(await reader.follow(part)));
      if (wrong.length > 0) break;
    }
  } finally {
    await reader.close();
  }
  return wrong;
}

class Reader {
  readonly #options: ReaderOptions;
  readonly #scratch = mkdtempSync(join(tmpdir(), "eventpulse-docs-"));
  readonly #env: NodeJS.ProcessEnv;
  readonly #shell: ChildProcess;
  #server: ChildProcess | null = null;
  #steps = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    // On a terminal curl shows no progress when its output goes there; here it would.
    writeFileSync(join(this.#scratch, ".curlrc"), "silent\nshow-error\n");
    this.#env = { ...process.env, EVENTPULSE_PORT: String(options.port), CURL_HOME: this.#scratch, NO_COLOR: "1" };
    this.#shell = spawn("bash", ["--noprofile", "--norc"], {
      cwd: options.folder,
      env: this.#env,
      detached: true,
      stdio: ["pipe", "ignore", "inherit"],
    });
  }

  save(name: string, text: string): void {
    const current = existsSync(join(this.#scratch, "cwd"))
      ? readFileSync(join(this.#scratch, "cwd"), "utf8").trim()
      : "";
    writeFileSync(join(current || this.#options.folder, name), `${this.#ported(text)}\n`);
  }

  async follow(step: Step): Promise<string[]> {
    const lastCommand = step.commands.trim().split("\n").at(-1) ?? "";
    if (serves.test(lastCommand)) return this.#serve(step);
    const deadline = Date.now() + repeatSecondsMax * 1000;
    for (;;) {
      const { status, output } = await this.#run(step.commands);
      const shown = this.#unported(output);
      const right = status === 0 && (step.expected === null || outputMatches(step.expected, shown));
      if (right && servesInBackground.test(step.commands)) return this.#ready(step, () => shown);
      if (right) return [];
      if (writes.test(step.commands) || Date.now() > deadline) return [difference(step, shown, status)];
      await sleep(300);
    }
  }

  async close(): Promise<void> {
    await endGroup(this.#server);
    await endGroup(this.#shell);
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  async #run(commands: string): Promise<{ status: number; output: string }> {
    const base = join(this.#scratch, String(++this.#steps));
    writeFileSync(`${base}.sh`, `${this.#ported(commands)}\n`);
    const cwd = join(this.#scratch, "cwd");
    this.#shell.stdin?.write(
      `source "${base}.sh" > "${base}.out" 2>&1 < /dev/null; echo $? > "${base}.part"; pwd > "${cwd}"; mv "${base}.part" "${base}.status"\n`,
    );
    const deadline = Date.now() + commandSecondsMax * 1000;
    while (!existsSync(`${base}.status`)) {
      if (Date.now() > deadline) return { status: -1, output: `(no end after ${commandSecondsMax} s)` };
      if (this.#shell.exitCode !== null) return { status: this.#shell.exitCode, output: "(the shell ended)" };
      await sleep(20);
    }
    return { status: Number(readFileSync(`${base}.status`, "utf8")), output: readFileSync(`${base}.out`, "utf8") };
  }

  async #serve(step: Step): Promise<string[]> {
    await endGroup(this.#server);
    let output = "";
    const server = spawn("bash", ["--noprofile", "--norc", "-c", this.#ported(step.commands)], {
      cwd: this.#options.folder,
      env: this.#env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#server = server;
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    return this.#ready(step, () => this.#unported(output));
  }

  /** Waits until the server takes requests and has printed what the document shows. */
  async #ready(step: Step, shown: () => string): Promise<string[]> {
    const deadline = Date.now() + startSecondsMax * 1000;
    while (Date.now() < deadline && this.#server?.exitCode == null) {
      const printed = this.#server === null || step.expected === null || outputStarts(step.expected, shown());
      const url = `http://127.0.0.1:${this.#options.port}/health/ready`;
      const ready = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
        (response) => response.ok,
        () => false,
      );
      if (printed && ready) return [];
      await sleep(100);
    }
    return [difference(step, shown(), this.#server?.exitCode ?? null)];
  }

  #ported(text: string): string {
    return text
      .replace(/\bnpm ci && /g, "") // The copy has its packages already.
      .replace(/\b8080\b/g, String(this.#options.port));
  }

  #unported(output: string): string {
    return (
      output
        .replaceAll(String(this.#options.port), "8080")
        // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
        .replace(/\u001b\[[0-9;]*m/g, "")
        // What npm thinks of a machine's own settings is not part of any document.
        .replace(/^npm warn .*\n/gm, "")
    );
  }
}

function difference(step: Step, shown: string, status: number | null): string {
  const indent = (text: string) => text.replace(/^/gm, "    ");
  const ended = status === null ? "it did not get ready" : `exit status ${status}`;
  const wanted = step.expected ? `  the document shows:\n${indent(step.expected.text)}\n` : "";
  return `line ${step.line} (${ended}):\n${indent(step.commands)}\n${wanted}  it printed:\n${indent(shown)}`;
}

/** Asks a process and its children to end (as Ctrl-C does), and makes them after 10 seconds. */
async function endGroup(child: ChildProcess | null): Promise<void> {
  if (child?.pid === undefined || !groupLives(child.pid)) return;
  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    try {
      process.kill(-child.pid, signal);
    } catch {
      return;
    }
    for (let waited = 0; waited < 5000 && groupLives(child.pid); waited += 50) await sleep(50);
  }
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
