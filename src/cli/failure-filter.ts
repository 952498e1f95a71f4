import { type Command, InvalidArgumentError, Option } from "commander";
import type { QueryParameters } from "../client/connection.ts";
import { EventPulseError } from "../model/error.ts";
import { failureClasses, failureStates } from "../model/failure.ts";
import type { Condition } from "../model/page.ts";
import { timeArgument } from "./time-argument.ts";
import { whereArgument, whereQuery } from "./where-argument.ts";

/** The options that say which failures are meant. */
export interface FailureFilterOptions {
  readonly stream?: string;
  readonly state?: string;
  readonly class?: string;
  readonly code?: string;
  readonly fingerprint?: string;
  readonly issue?: string;
  readonly from?: string;
  readonly to?: string;
  readonly where?: readonly Condition[];
  readonly contains?: string;
}

/** The same filters for every command that picks failures, so that what was listed can be replayed or discarded with the same words. */
export function addFailureFilter(command: Command): Command {
  return command
    .addOption(new Option("--stream <stream>", "only of this stream"))
    .addOption(new Option("--state <state>", "only in this state").choices(failureStates))
    .addOption(new Option("--class <class>", "only of this class").choices(failureClasses))
    .addOption(new Option("--code <code>", "only with this code, like CONTRACT_BROKEN"))
    .addOption(new Option("--issue <id>", "only of this issue, iss_…").argParser(issueArgument))
    .addOption(new Option("--fingerprint <text>", "only with this cause; --issue says the same").conflicts("issue"))
    .addOption(
      new Option("--from <time>", "last seen, inclusive: RFC 3339, a date, or an age like 15m, 2h, 7d").argParser(
        timeArgument,
      ),
    )
    .addOption(new Option("--to <time>", "last seen, exclusive").argParser(timeArgument))
    .addOption(
      new Option(
        "--where <condition>",
        "of the event as it was sent: field operator value; give it again for more, all must hold",
      ).argParser(whereArgument),
    )
    .addOption(new Option("--contains <text>", "only whose payload contains this text"));
}

/** An issue's id is `iss_` and the fingerprint of its failures. */
const issuePrefix = "iss_";

function issueArgument(text: string): string {
  if (text.startsWith(issuePrefix) && text.length > issuePrefix.length) return text;
  throw new InvalidArgumentError("It must be the id of an issue, iss_…; `eventpulse issues list` shows them.");
}

/** The filter as the list of failures takes it. */
export function failureQuery(options: FailureFilterOptions): QueryParameters {
  const { where = [], ...rest } = plainFilter(options);
  return { ...rest, ...whereQuery(where) };
}

/** What a replay or a discard is about, as `POST /v1/replays` takes it. Throws PARAMETER_INVALID when nothing or too much is named. */
export function failureSelection(
  ids: readonly string[],
  options: FailureFilterOptions,
): Readonly<Record<string, unknown>> {
  const filter = plainFilter(options);
  const filters = Object.keys(filter).length;
  if (ids.length > 0) {
    if (filters > 0) throw invalid("Name failures by their ids or by filters, not by both.");
    return { ids };
  }
  if (filters === 0) {
    throw invalid(
      "Say which failures are meant: ids, --issue, or filters; --state quarantined means all that wait for an edit.",
    );
  }
  return options.issue !== undefined && filters === 1 ? { issue: options.issue } : { filter };
}

export function hasFailureFilter(options: FailureFilterOptions): boolean {
  return Object.keys(plainFilter(options)).length > 0;
}

type PlainFilter = Omit<FailureFilterOptions, "issue">;

/** Without what was not given: a body with `null` or `undefined` in it would say something else. */
function plainFilter(options: FailureFilterOptions): PlainFilter {
  const { stream, state, class: failureClass, code, issue, from, to, where, contains } = options;
  const fingerprint = issue === undefined ? options.fingerprint : issue.slice(issuePrefix.length);
  const all = { stream, state, class: failureClass, code, fingerprint, from, to, where, contains };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function invalid(message: string): EventPulseError {
  return new EventPulseError("PARAMETER_INVALID", message);
}
