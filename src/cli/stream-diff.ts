import { type Connection, isObject } from "../client/connection.ts";
import { listPages } from "../client/list-pages.ts";
import { type ChangeLevel, type ContractChange, highestLevel } from "../model/contract-change.ts";
import { EventPulseError } from "../model/error.ts";
import type { Refusals } from "../pipeline/failures/count-refusals.ts";
import type { Contract } from "../pipeline/process/contract.ts";

/** What differs between the contract of a stream that is in force and the one of the config. */
export interface StreamDiff {
  readonly stream: string;
  /** `new`: not on the server yet. `removed`: no longer in the config. */
  readonly state: "new" | "removed" | "compared";
  /** Null: nothing differs. */
  readonly level: ChangeLevel | null;
  readonly deployed: ContractName | null;
  readonly local: ContractName | null;
  readonly changes: readonly ContractChange[];
  /** What the contract of the config says of events that were sent; null: none were asked for. */
  readonly events: Refusals | null;
  /** Whether events that are valid now may be refused, and whether the version says so. */
  readonly break: boolean;
  readonly announced: boolean;
}

interface ContractName {
  readonly version: string;
  readonly announced: string | null;
}

/** The newest events since a time, `limit` of them at most; the reason goes to the server's audit log. */
export interface EventSelection {
  readonly from: string;
  readonly limit: number;
  readonly reason: string;
}

interface DeployedContract extends ContractName {
  readonly jsonSchema: Readonly<Record<string, unknown>> | null;
}

/** Null: the server does not have the stream. Throws ANSWER_INVALID. */
async function deployedContract(connection: Connection, stream: string): Promise<DeployedContract | null> {
  const versions = await onePage(connection, `${pathOf(stream)}/contracts`).catch((error: unknown) => {
    if (error instanceof EventPulseError && error.code === "STREAM_UNKNOWN") return null;
    throw error;
  });
  if (versions === null) return null;
  const { version, announced, jsonSchema } = versions[0] ?? {};
  if (typeof version !== "string") {
    throw new EventPulseError("ANSWER_INVALID", `The server does not say which contract of ${stream} is in force.`);
  }
  return {
    version,
    announced: typeof announced === "string" ? announced : null,
    jsonSchema: isObject(jsonSchema) ? jsonSchema : null,
  };
}

/** The rows of a list that is always one page, and so takes no limit. Throws ANSWER_INVALID. */
export async function onePage(connection: Connection, path: string): Promise<readonly Record<string, unknown>[]> {
  const page = await connection.json("GET", path);
  if (isObject(page) && Array.isArray(page["data"])) return page["data"].filter(isObject);
  throw new EventPulseError("ANSWER_INVALID", `${path} answered with something that is no page.`);
}

/**
 * Compares the contract of a stream that is in force on a server with the one of a config (null: it has none), and tries it on
 * events that were sent. Throws ANSWER_INVALID and what requests throw.
 */
export async function compareStream(
  connection: Connection,
  stream: string,
  contract: Contract | null,
  selection: EventSelection,
): Promise<StreamDiff> {
  const local = contract && { version: contract.version, announced: contract.stream.version };
  const found = await deployedContract(connection, stream);
  const deployed = found && { version: found.version, announced: found.announced };
  const names = { stream, deployed, local };
  if (found === null || contract === null) {
    const state = found === null ? "new" : "removed";
    return { ...names, state, level: null, changes: [], events: null, break: false, announced: false };
  }
  const { compareContracts } = await import("../pipeline/failures/compare-contracts.ts");
  const { countRefusals } = await import("../pipeline/failures/count-refusals.ts");
  const changes = changesOf(compareContracts, found.jsonSchema, contract.jsonSchema);
  const level = highestLevel(changes);
  const sent = sentEvents(connection, stream, selection);
  const events = selection.limit === 0 ? null : await countRefusals(contract, found.jsonSchema, sent);
  const broken = level === "major" || (events !== null && events.refused > 0);
  const announced = majorOf(contract.stream.version) > majorOf(found.announced);
  return { ...names, state: "compared", level, changes, events, break: broken, announced: broken && announced };
}

/** A library that cannot describe its schemas leaves nothing to compare, and the events to tell. */
function changesOf(
  compare: typeof import("../pipeline/failures/compare-contracts.ts").compareContracts,
  before: DeployedContract["jsonSchema"],
  after: Contract["jsonSchema"],
): readonly ContractChange[] {
  if (before !== null && after !== null) return compare(before, after);
  if (before === after) return [];
  const detail = "cannot be compared: the library of one of the schemas does not describe it as JSON Schema";
  return [{ level: "major", pointer: "", detail }];
}

/** What is not announced has the number 0. */
function majorOf(version: string | null): number {
  return Number(/^\d+/.exec(version ?? "")?.[0] ?? 0);
}

async function* sentEvents(connection: Connection, stream: string, selection: EventSelection): AsyncGenerator<unknown> {
  const { from, limit, reason } = selection;
  for await (const page of listPages(connection, `${pathOf(stream)}/events`, { from, reason }, { limit })) {
    for (const event of page) {
      // What cannot be read is refused before any contract is asked.
      const readable = isObject(event) && Array.isArray(event["errors"]) && event["errors"].length === 0;
      if (readable) yield event["data"];
    }
  }
}

function pathOf(stream: string): string {
  return `/v1/streams/${encodeURIComponent(stream)}`;
}
