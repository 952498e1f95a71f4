import { isDeepStrictEqual } from "node:util";
import { type ErrorDetail, EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { PatchOperation } from "../../model/recipe.ts";
import { addAt, isPointer, type JsonRoot, placeAt, removeAt, replaceAt, valueProblem } from "./json-place.ts";

/**
 * Applies a JSON Patch (RFC 6902) to a deep copy of `data`; all of it or nothing. Throws PATCH_INVALID, with an error that points
 * to the first operation that does not apply (`/2`: the third), and for more than `limits.patchOperationsMax` operations.
 *
 * Our own and not the package rfc6902, which skips `__proto__` and `constructor` inside a path and so changes another place than the
 * one that is named, finds inherited names such as `toString`, and cannot replace a whole document. Tests compare the two.
 */
export function applyPatch(data: unknown, patch: readonly PatchOperation[]): unknown {
  refuseLong(patch);
  const document: JsonRoot = { root: structuredClone(data) };
  let charactersCopied = 0;
  for (const [index, operation] of patch.entries()) {
    if (operation.op === "copy") {
      // Copies of copies double: thirty of them are a gigabyte.
      charactersCopied += JSON.stringify(placeAt(document, operation.from ?? "").value)?.length ?? 0;
    }
    const problem =
      charactersCopied > limits.eventBytesMax
        ? `copies more than the ${limits.eventBytesMax} bytes that an event may have`
        : applyOperation(document, operation);
    if (problem === null) continue;
    const { op, path } = operation;
    const detail = `Operation ${index} (${op} ${path === "" ? "the whole event" : path.slice(0, 200)}): ${problem}.`;
    throw invalid(detail, [{ pointer: `/${index}`, code: "PATCH_INVALID", detail }]);
  }
  return document.root;
}

/** What is wrong; null when it was applied. */
function applyOperation(document: JsonRoot, operation: PatchOperation): string | null {
  const { op, path } = operation;
  const place = placeAt(document, path);
  switch (op) {
    case "add":
      return added(document, path, structuredClone(operation.value));
    case "replace":
      if (place.value === undefined) return nothingThere;
      replaceAt(place, structuredClone(operation.value));
      return null;
    case "remove":
      if (path === "") return "the whole event cannot be removed; replace it, or discard the failure";
      if (place.value === undefined) return nothingThere;
      removeAt(place);
      return null;
    case "test":
      if (place.value === undefined) return nothingThere;
      return isDeepStrictEqual(place.value, operation.value) ? null : "another value is there";
    case "move":
    case "copy": {
      const from = operation.from ?? "";
      const source = placeAt(document, from);
      if (source.value === undefined) return `nothing is at its "from", ${from.slice(0, 200)}`;
      if (op === "copy") return added(document, path, structuredClone(source.value));
      if (path === from) return null;
      if (path.startsWith(`${from}/`)) return "a value cannot be moved into itself";
      removeAt(source);
      return added(document, path, source.value);
    }
  }
}

const nothingThere = "nothing is there";

function added(document: JsonRoot, path: string, value: unknown): string | null {
  // Looked up now and not before: a move has taken something away since.
  return addAt(placeAt(document, path), value) ? null : "nothing is there that could hold it";
}

const operations: readonly string[] = [
  "add",
  "remove",
  "replace",
  "move",
  "copy",
  "test",
] satisfies PatchOperation["op"][];

/**
 * Checks a parsed body: an array of operations. Members that RFC 6902 does not know are left out, as it says. Throws
 * PATCH_INVALID with a pointer into the patch for each bad operation.
 */
export function readPatch(value: unknown): readonly PatchOperation[] {
  const shape = "A JSON Patch is an array of operations: [{ op, path, value }].";
  if (!Array.isArray(value)) throw invalid(shape, [{ pointer: "", code: "PATCH_INVALID", detail: shape }]);
  refuseLong(value);
  const errors = value.flatMap((operation, index) =>
    operationProblems(operation).map(
      ([member, detail]): ErrorDetail => ({ pointer: `/${index}${member}`, code: "PATCH_INVALID", detail }),
    ),
  );
  if (errors.length > 0) throw invalid(`Operation ${errors[0]?.pointer.split("/")[1]}: ${errors[0]?.detail}.`, errors);
  return (value as readonly PatchOperation[]).map(({ op, path, from, value: content }) => {
    if (op === "move" || op === "copy") return { op, path, from: from as string };
    return op === "remove" ? { op, path } : { op, path, value: content };
  });
}

function operationProblems(operation: unknown): readonly (readonly [member: string, detail: string])[] {
  if (typeof operation !== "object" || operation === null || Array.isArray(operation))
    return [["", "must be an object with op and path"]];
  const problems: [string, string][] = [];
  const { op, path, from, value } = operation as Readonly<Record<string, unknown>>;
  const known = typeof op === "string" && operations.includes(op);
  if (!known) problems.push(["/op", `must be one of ${operations.join(", ")}`]);
  if (!isPointer(path)) problems.push(["/path", pointerShape]);
  if ((op === "move" || op === "copy") && !isPointer(from)) problems.push(["/from", pointerShape]);
  if (op === "add" || op === "replace" || op === "test") {
    const problem = value === undefined ? "is missing" : valueProblem(value, limits.jsonDepthMax);
    if (problem !== null) problems.push(["/value", problem]);
  }
  return problems;
}

const pointerShape = 'must be a JSON Pointer, such as "/total" or "" for the whole event';

function refuseLong(patch: readonly unknown[]): void {
  if (patch.length <= limits.patchOperationsMax) return;
  const detail = `The patch has ${patch.length} operations; the limit is ${limits.patchOperationsMax}.`;
  throw invalid(detail, [{ pointer: "", code: "PATCH_INVALID", detail }]);
}

function invalid(message: string, errors: readonly ErrorDetail[]): EventPulseError {
  return new EventPulseError("PATCH_INVALID", message, { errors: errors.slice(0, limits.errorsPerEventMax) });
}
