import { access, constants, mkdtemp, rm, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";

export interface DoctorCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
  /** What mends it; null when it is ok. */
  readonly fix: string | null;
}

const nodeMajorMin = 24;
const answerMillisMax = 3_000;

function ok(name: string, detail: string): DoctorCheck {
  return { name, ok: true, detail, fix: null };
}

function bad(name: string, detail: string, fix: string): DoctorCheck {
  return { name, ok: false, detail, fix };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export async function checkNode(version: string): Promise<DoctorCheck> {
  const detail = `Node ${version}`;
  if (Number(version.split(".")[0]) >= nodeMajorMin) return ok("node", detail);
  return bad("node", detail, `npm install --save-dev node@${nodeMajorMin}`);
}

export async function checkConfig(file: string): Promise<DoctorCheck> {
  try {
    const { loadConfig } = await import("../config/load.ts");
    const { name, streams } = (await loadConfig(file)).project;
    return ok("config", `${file}: ${name}, streams ${[...streams.keys()].join(", ")}`);
  } catch (error) {
    const more =
      error instanceof EventPulseError && error.errors.length > 1 ? ` (${error.errors.length} problems)` : "";
    const first = error instanceof EventPulseError ? error.errors[0]?.detail : undefined;
    const missing = await stat(file).then(
      () => false,
      () => true,
    );
    return bad(
      "config",
      `${first ?? reasonOf(error)}${more}`,
      missing ? "eventpulse init" : `eventpulse check --config ${file}`,
    );
  }
}

/** A port that an EventPulse listens on is as good as a free one: it is running already. */
export async function checkPort(host: string, port: number): Promise<DoctorCheck> {
  const place = `${host} port ${port}`;
  const error = await new Promise<NodeJS.ErrnoException | null>((settle) => {
    const server = createServer();
    server.once("error", settle);
    server.listen(port, host, () => server.close(() => settle(null)));
  });
  if (error === null) return ok("port", `${place} is free`);
  if (error.code === "EADDRINUSE") {
    const version = await versionAt(host, port);
    if (version !== null) return ok("port", `EventPulse ${version} answers at ${place}`);
    return bad("port", `${place} is in use by something else`, "eventpulse dev --port 0, which takes a free one");
  }
  return bad("port", `${place} cannot be listened on: ${error.message}`, "choose others with --host and --port");
}

async function versionAt(host: string, port: number): Promise<string | null> {
  try {
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/health/live`;
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMillisMax) });
    const answer: unknown = await response.json();
    return typeof answer === "object" && answer !== null && "version" in answer ? String(answer.version) : null;
  } catch {
    return null;
  }
}

/** Space for what is accepted to be processed, and for a while of work on top. */
const diskFreeBytesGood = 1024 ** 3;

export async function checkDisk(data: string): Promise<DoctorCheck> {
  const folder = await nearestFolder(data);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${(free / 1024 ** 3).toFixed(1)} GB free at ${folder}`;
  if (free >= diskFreeBytesGood) return ok("disk", detail);
  const stops = `acceptance stops below ${limits.diskFreeBytesMin / 1024 ** 2} MB`;
  return bad("disk", `${detail}; ${stops}`, "free at least 1 GB, or choose another disk with --data DIR");
}

/** Writes, flushes and reads with the SQLite that will be used, in a folder of its own that is removed again. */
export async function checkData(data: string): Promise<DoctorCheck> {
  const folder = await nearestFolder(data);
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    const probe = await mkdtemp(join(folder, ".eventpulse-doctor-"));
    try {
      const { DatabaseSync } = await import("node:sqlite");
      const database = new DatabaseSync(join(probe, "probe.db"));
      database.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE probe (id INTEGER); INSERT INTO probe VALUES (1)",
      );
      database.close();
    } finally {
      await rm(probe, { recursive: true, force: true });
    }
    return ok("data", `${resolve(data)} takes writes (SQLite ${process.versions["sqlite"] ?? "unknown"})`);
  } catch (error) {
    return bad(
      "data",
      `${resolve(data)} cannot be written: ${reasonOf(error)}`,
      "choose a folder of your own on a local disk with --data DIR",
    );
  }
}

export async function checkSmtp(url: string | null): Promise<DoctorCheck> {
  if (url === null) return ok("mail", "no mail server is set: mail is captured in the data folder");
  const { hostname } = new URL(url);
  const { default: nodemailer } = await import("nodemailer");
  const timeouts = {
    connectionTimeout: answerMillisMax,
    greetingTimeout: answerMillisMax,
    socketTimeout: answerMillisMax,
  };
  const transport = nodemailer.createTransport({ url, ...timeouts });
  try {
    await transport.verify();
    return ok("mail", `the mail server ${hostname} answers and takes the login`);
  } catch (error) {
    return bad(
      "mail",
      `the mail server ${hostname}: ${reasonOf(error)}`,
      "correct EVENTPULSE_SMTP_URL, or leave it out to capture mail",
    );
  } finally {
    transport.close();
  }
}

/** No release of EventPulse is older. */
const earliestTime = Date.UTC(2026, 0, 1);
const aheadMillisMax = 60_000;

/** A clock that is behind would give events times and retention that are wrong; what the data folder holds cannot be younger than now. */
export async function checkClock(data: string, now: number): Promise<DoctorCheck> {
  const detail = `the clock says ${new Date(now).toISOString()}`;
  const fix = "set the clock, best by NTP (timedatectl set-ntp true)";
  if (now < earliestTime) return bad("clock", `${detail}, before EventPulse was made`, fix);
  const written = await stat(join(data, "eventpulse.db")).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  if (written > now + aheadMillisMax) {
    return bad("clock", `${detail}, but the data folder was written at ${new Date(written).toISOString()}`, fix);
  }
  return ok("clock", detail);
}

/** The folder, or the nearest one above it that is there: where the folder would be made. */
async function nearestFolder(path: string): Promise<string> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const found = await stat(folder).then(
      (status) => status.isDirectory(),
      () => false,
    );
    if (found || folder === dirname(folder)) return folder;
  }
}
