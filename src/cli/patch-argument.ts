import { InvalidArgumentError } from "commander";

/** One operation of a JSON Patch, as text, from what `--set` or `--remove` was given. */
export function patchArgument(option: "set" | "remove", text: string): string {
  return option === "set" ? setOperation(text) : removeOperation(text);
}

/**
 * `--set /pointer=JSON` as one operation of a JSON Patch, as text: the value goes on as it was written, because parsing could
 * round a number. An element of an array (its index at the end) is replaced, as `add` would insert; `/-` appends.
 */
function setOperation(text: string): string {
  const [, pointer, value] = /^((?:\/[^=]*)?)=([\s\S]*)$/.exec(text) ?? [];
  if (pointer === undefined || value === undefined) throw new InvalidArgumentError("It must be /pointer=JSON.");
  if (!isJson(value)) {
    throw new InvalidArgumentError(`What is after "=" must be JSON; a text has its quotes: '${pointer}="text"'.`);
  }
  const op = pointer === "" || /\/\d+$/.test(pointer) ? "replace" : "add";
  return `{"op":"${op}","path":${JSON.stringify(pointer)},"value":${value}}`;
}

/** `--remove /pointer` as one operation. */
function removeOperation(pointer: string): string {
  if (!pointer.startsWith("/")) throw new InvalidArgumentError("It must be a JSON Pointer like /total or /items/0.");
  return JSON.stringify({ op: "remove", path: pointer });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
