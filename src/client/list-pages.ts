import { EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { type Connection, isObject, type QueryParameters } from "./connection.ts";

export interface ListOptions {
  /** Rows in all, over as many pages as it takes. Default: all. */
  readonly limit?: number;
  readonly signal?: AbortSignal | undefined;
}

/** The pages of a list (`{data, page: {next}}`), fetched as they are asked for. A page may be empty and still have a next one. */
export async function* listPages(
  connection: Connection,
  path: string,
  query: QueryParameters,
  { limit = Number.POSITIVE_INFINITY, signal }: ListOptions = {},
): AsyncGenerator<readonly unknown[], void> {
  let cursor: string | null = null;
  for (let left = limit; left > 0; ) {
    const page = await connection.json("GET", path, {
      query: { ...query, limit: Math.min(left, limits.pageRowsMax), cursor },
      signal,
    });
    if (!isObject(page) || !Array.isArray(page["data"]) || !isObject(page["page"])) {
      throw new EventPulseError("ANSWER_INVALID", `${path} answered with something that is no page.`);
    }
    yield page["data"];
    left -= page["data"].length;
    const { next } = page["page"];
    if (typeof next !== "string") return;
    cursor = next;
  }
}
