import type { Command } from "commander";
import { isObject } from "../client/connection.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { drawFields } from "./draw-fields.ts";
import { failurePath } from "./failure-path.ts";
import { relativeTime } from "./relative-time.ts";
import { type Resource, readResource } from "./resource.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

export function failuresShowCommand(): Command {
  const command = baseCommand(
    "failures show",
    "show why one failed",
    `Shows all that is known of one failure: each reason with what was found there and what to do about it, the edit if there
is one, and when retention removes it.

  eventpulse failures show fail_019c13d0a7b24e6f8a51c0de

With --json: the failure as the API shows it`,
  ).argument("<id>", "fail_…");
  return addConnectionOptions(command).action(async (id: string, options: ConnectionOptions) => {
    const terminal = terminalFor(command);
    const failure = readResource(await (await openConnection(options)).json("GET", failurePath(id)), "failure");
    await terminal.result(failure.fields, () => draw(terminal, failure));
    terminal.next(`eventpulse failures payload ${id}`, ...nextFor(failure));
  });
}

function draw(terminal: Terminal, { id, state, fields }: Resource): string {
  const apart = ["id", "state", "errors", "edit", "expiresAt"];
  const others = Object.entries(fields).filter(([name]) => !apart.includes(name));
  const { expiresAt, edit } = fields;
  if (typeof expiresAt === "string") others.push(["expiresAt", `${expiresAt} (${relativeTime(expiresAt)})`]);
  return [
    `${terminal.style("bold", id)} ${terminal.style("red", visibleText(state))}`,
    ...drawReasons(terminal, fields["errors"]),
    ...drawFields(others),
    ...(isObject(edit) ? drawEdit(terminal, edit) : []),
  ].join("\n");
}

function drawReasons(terminal: Terminal, errors: unknown): string[] {
  if (!Array.isArray(errors)) return [];
  return errors.filter(isObject).flatMap(({ pointer, detail, actual, hint }) => {
    const reason = pointer === "" ? `${detail}` : `${pointer} ${detail}`;
    const found = typeof actual === "string" ? terminal.style("dim", ` (found ${visibleText(actual)})`) : "";
    const head = `  ${terminal.style("yellow", visibleText(reason))}${found}`;
    return typeof hint === "string" ? [head, `    ${terminal.style("cyan", `→ ${visibleText(hint)}`)}`] : [head];
  });
}

function drawEdit(terminal: Terminal, { patch, by, at, reason, sha256 }: Record<string, unknown>): string[] {
  const operations = Array.isArray(patch) ? patch : [];
  return [
    terminal.style("bold", "  edited"),
    ...drawFields([
      ["by", by],
      ["at", at],
      ["reason", reason],
      ["sha256", sha256],
      ...operations.map((operation) => ["patch", JSON.stringify(operation)] as const),
    ]).map((line) => `  ${line}`),
  ];
}

function nextFor({ id, state, fields }: Resource): string[] {
  if (state !== "quarantined" && state !== "dead") return [];
  return [
    `eventpulse failures edit ${id} --set '${pointerOf(fields["errors"])}=JSON' --dry-run`,
    `eventpulse failures retry ${id}`,
    `eventpulse failures discard ${id} --reason "why"`,
  ];
}

/** Where an edit would probably be made. Field names come from whoever sent the event: only plain ones go into a command to paste. */
function pointerOf(errors: unknown): string {
  const pointers = Array.isArray(errors) ? errors.filter(isObject).map(({ pointer }) => pointer) : [];
  return pointers.find((one): one is string => typeof one === "string" && /^(\/[\w.-]+)+$/.test(one)) ?? "/pointer";
}
