import { type Command, InvalidArgumentError, Option } from "commander";
import { type Connection, isObject } from "../client/connection.ts";
import { listPages } from "../client/list-pages.ts";
import { type AuditEntry, auditProblem, auditStart } from "../model/audit.ts";
import { EventPulseError } from "../model/error.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { count } from "./send-tally.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

interface VerifyOptions extends ConnectionOptions {
  readonly head?: string;
}

/** Reading is safe to repeat, so a moment of trouble in the middle of a long log is ridden out. */
const attemptsMax = 4;

export function auditVerifyCommand(): Command {
  const command = baseCommand(
    "audit verify",
    "check that no entry was changed or removed",
    `Reads the whole audit log and checks the chain of hashes here, not on the server. Note the head that it prints somewhere
else: with --head a later check also shows that the log still holds everything up to then, so that not even its end was cut
off or the whole chain written anew. Ends with 5 when the log is not whole.

  eventpulse audit verify
  eventpulse audit verify --head 3b1f0c…

With --json: {"whole", "entries", "head", "sequence", "problem"}; sequence and problem name the first entry that is not
right, and are null when all are`,
  ).addOption(
    new Option("--head <hash>", "a head noted earlier, which must still be in the chain").argParser(hashArgument),
  );
  return addConnectionOptions(command).action(async (options: VerifyOptions) => {
    const connection = await openConnection(options, attemptsMax);
    process.exitCode = await verify(terminalFor(command), connection, options.head ?? null);
  });
}

/** What reading the chain has shown. */
interface Verdict {
  /** Entries that are right. */
  readonly entries: number;
  /** Hash of the last of them. */
  readonly head: string;
  /** The entry that is not right, as far as it says so, and why; null when all are. */
  readonly sequence: number | null;
  readonly problem: string | null;
}

async function verify(terminal: Terminal, connection: Connection, noted: string | null): Promise<ExitCode> {
  const verdict = await readChain(connection, noted);
  const whole = verdict.problem === null;
  await terminal.result({ whole, ...verdict }, () => draw(terminal, verdict));
  if (whole) terminal.next(`eventpulse audit verify --head ${verdict.head}`);
  else terminal.next("eventpulse audit list");
  return whole ? exitCodes.ok : exitCodes.unhealthy;
}

async function readChain(connection: Connection, noted: string | null): Promise<Verdict> {
  let previous: AuditEntry | null = null;
  let entries = 0;
  let seen = noted === null || noted === auditStart;
  for await (const page of listPages(connection, "/v1/audit", {})) {
    for (const value of page) {
      const entry = readEntry(value);
      const problem = auditProblem(previous, entry);
      const head: string = previous?.hash ?? auditStart;
      if (problem !== null) return { entries, head, sequence: entry.sequence, problem };
      seen ||= entry.hash === noted;
      entries += 1;
      previous = entry;
    }
  }
  const problem = seen ? null : "The noted head is not in the chain: entries up to it were removed or written anew.";
  return { entries, head: previous?.hash ?? auditStart, sequence: null, problem };
}

/** An entry as it was hashed. A field that is missing or of another kind makes another hash, and so is found. */
function readEntry(value: unknown): AuditEntry {
  if (!isObject(value)) throw new EventPulseError("ANSWER_INVALID", "The server's answer is no list of audit entries.");
  const details = isObject(value["details"]) ? value["details"] : {};
  return {
    ...(value as unknown as AuditEntry),
    at: Date.parse(String(value["at"])),
    details: details as AuditEntry["details"],
  };
}

function draw(terminal: Terminal, { entries, head, problem }: Verdict): string {
  const right = `${count(entries)} ${entries === 1 ? "entry" : "entries"}`;
  if (problem === null)
    return `${terminal.style("green", "✔")} the audit log is whole: ${right}\n  head ${visibleText(head)}`;
  return [
    `${terminal.style("red", "✘")} the audit log is not whole: ${visibleText(problem)}`,
    `  ${right} before that ${entries === 1 ? "is" : "are"} right, head ${visibleText(head)}`,
  ].join("\n");
}

function hashArgument(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a hash as `eventpulse audit verify` prints it: 64 hex digits.");
}
