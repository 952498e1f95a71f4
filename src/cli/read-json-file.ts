import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { type ErrorCode, EventPulseError } from "../model/error.ts";

/**
 * The JSON text of a file ("-": stdin), checked but not changed, because parsing could round a number. Throws PARAMETER_INVALID
 * when it cannot be read, `code` when it is no JSON.
 */
export async function readJsonFile(path: string, code: ErrorCode): Promise<string> {
  let content: string;
  try {
    content = path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  } catch (cause) {
    throw new EventPulseError("PARAMETER_INVALID", `The file ${path} cannot be read.`, { cause });
  }
  try {
    JSON.parse(content);
  } catch {
    throw new EventPulseError(code, `${path === "-" ? "What came on stdin" : `The file ${path}`} is not JSON.`);
  }
  return content.trim();
}
