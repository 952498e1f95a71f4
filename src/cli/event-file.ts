import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { EventPulseError } from "../model/error.ts";

export type EventFileFormat = "json" | "ndjson" | "csv";
export const eventFileFormats = ["json", "ndjson", "csv"] as const satisfies readonly EventFileFormat[];

export interface EventFile {
  readonly path: string;
  readonly format: EventFileFormat;
  readonly bytes: number;
}

const formatByExtension: Readonly<Record<string, EventFileFormat>> = {
  ".json": "json",
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".csv": "csv",
};

/**
 * The files meant by the paths, in that order; a folder means all files of a known kind below it, by name, except hidden ones.
 * `format` overrides the extension of files that are named, never of those found in a folder. Throws PARAMETER_INVALID.
 */
export async function findEventFiles(
  paths: readonly string[],
  format: EventFileFormat | undefined,
): Promise<readonly EventFile[]> {
  const files: EventFile[] = [];
  for (const path of paths) {
    const status = await stat(path).catch(() => null);
    if (status === null) throw invalid(`There is no file ${path}.`);
    if (status.isDirectory()) {
      const found = await filesBelow(path);
      if (found.length === 0) throw invalid(`The folder ${path} holds no .json, .ndjson, .jsonl or .csv file.`);
      files.push(...found);
      continue;
    }
    const known = format ?? formatByExtension[extname(path).toLowerCase()];
    if (known === undefined)
      throw invalid(`What ${path} holds is not clear from its name; add --format json, ndjson or csv.`);
    files.push({ path, format: known, bytes: status.size });
  }
  return files;
}

async function filesBelow(folder: string): Promise<EventFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !path
          .slice(folder.length)
          .split(/[/\\]/)
          .some((part) => part.startsWith(".")),
    )
    .sort();
  const files: EventFile[] = [];
  for (const path of paths) {
    const format = formatByExtension[extname(path).toLowerCase()];
    if (format !== undefined) files.push({ path, format, bytes: (await stat(path)).size });
  }
  return files;
}

function invalid(message: string): EventPulseError {
  return new EventPulseError("PARAMETER_INVALID", message);
}
