import { type Command, Option } from "commander";
import { type Connection, isObject, type QueryParameters } from "../client/connection.ts";
import { EventPulseError } from "../model/error.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { drawChange, line } from "./draw-change.ts";
import { failurePath } from "./failure-path.ts";
import { patchArgument } from "./patch-argument.ts";
import { readJsonFile } from "./read-json-file.ts";
import { readResource } from "./resource.ts";
import { sameCommand } from "./same-command.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

interface EditOptions extends ConnectionOptions {
  readonly patch?: string;
  readonly undo?: boolean;
  readonly dryRun?: boolean;
  readonly reason?: string;
}

export function failuresEditCommand(): Command {
  const command = baseCommand(
    "failures edit",
    "mend one event beside its original",
    `Mends one event. The original stays as it is; the edit is a JSON Patch beside it, and every retry and replay uses it. It
is kept only when the event fits its contract with it. An edit takes the place of the one before. When somebody else
changed the failure meanwhile, nothing is kept and the command ends with 1.

  eventpulse failures edit fail_019c13d0 --set /total=12.5 --set '/country="DE"' --remove /note --dry-run
  eventpulse failures edit fail_019c13d0 --patch mend.json --reason "the till wrote texts"
  eventpulse failures edit fail_019c13d0 --undo

With --json: {"before", "after", "outcome", "results"} of a dry run, else the failure as the API shows it after the change`,
  ).argument("<id>", "fail_…");
  // In one list, because the order of the operations matters and goes across both options.
  const operations: string[] = [];
  const collect = (option: "set" | "remove") => (text: string) => operations.push(patchArgument(option, text));
  command
    .addOption(new Option("--patch <file>", 'JSON Patch (RFC 6902), a file or "-" for stdin'))
    .addOption(new Option("--set </pointer=JSON>", "set a field; give it again for more").argParser(collect("set")))
    .addOption(new Option("--remove </pointer>", "remove a field").argParser(collect("remove")))
    .addOption(new Option("--undo", "remove the edit that was kept").conflicts("dryRun"))
    .addOption(new Option("--dry-run", "show before and after, keep nothing"))
    .addOption(new Option("--reason <text>", "why, for the audit log"));
  return addConnectionOptions(command).action(async (id: string, options: EditOptions) => {
    const terminal = terminalFor(command);
    const patch = await readPatch(operations, options);
    await edit(terminal, await openConnection(options), { id, patch, options });
  });
}

/** The JSON Patch as text. Throws PARAMETER_INVALID unless exactly one way to say it was taken. */
async function readPatch(operations: readonly string[], { patch, undo }: EditOptions): Promise<string> {
  const ways = [operations.length > 0, patch !== undefined, undo === true].filter(Boolean).length;
  if (ways !== 1) {
    throw new EventPulseError("PARAMETER_INVALID", "Say what to change: --set and --remove, or --patch, or --undo.");
  }
  return patch === undefined ? `[${operations.join(",")}]` : readJsonFile(patch, "PATCH_INVALID");
}

interface Edit {
  readonly id: string;
  readonly patch: string;
  readonly options: EditOptions;
}

async function edit(terminal: Terminal, connection: Connection, { id, patch, options }: Edit): Promise<void> {
  const { fields } = readResource(await connection.json("GET", failurePath(id)), "failure");
  // Whatever is judged, shown and kept is about this version.
  const headers = { "content-type": "application/json-patch+json", "if-match": `"${fields["version"]}"` };
  const send = (query: QueryParameters) => connection.json("PATCH", failurePath(id), { headers, body: patch, query });
  if (options.dryRun === true) {
    const judgement = await send({ dryRun: "true" });
    await terminal.result(judgement, () => drawJudgement(terminal, judgement));
    terminal.next(sameCommand(process.argv, ["--dry-run"]));
    return;
  }
  // The judgement is for a person only; the server judges again before it keeps the edit.
  const judgement = terminal.pretty && options.undo !== true ? await send({ dryRun: "true" }) : null;
  const after = readResource(await send({ reason: options.reason }), "failure");
  await terminal.result(after.fields, () => {
    const done = terminal.style("green", options.undo === true ? "edit removed" : "edited");
    return [`${done} ${id}`, ...(judgement === null ? [] : [drawJudgement(terminal, judgement)])].join("\n");
  });
  terminal.next(
    `eventpulse failures replay ${id} --dry-run`,
    `eventpulse failures retry ${id}`,
    ...(options.undo === true ? [] : [`eventpulse failures edit ${id} --undo`]),
  );
}

function drawJudgement(terminal: Terminal, judgement: unknown): string {
  if (!isObject(judgement))
    throw new EventPulseError("ANSWER_INVALID", "The server's answer is no judgement of an edit.");
  const { before, after, outcome, results } = judgement;
  const records = Array.isArray(results) ? results : [];
  return [
    ...drawChange(terminal, jsonText(before), jsonText(after)),
    ...(outcome === "dropped" ? [line("record", "none: the transform drops it")] : []),
    ...records.map((record) => line("record", visibleText(JSON.stringify(record)))),
  ].join("\n");
}

/** An event as JSON text, whether the answer holds it as text or as JSON. */
function jsonText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
