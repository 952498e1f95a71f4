import type { Connection, QueryParameters } from "../client/connection.ts";
import { limits } from "../model/limits.ts";

/**
 * Records as the JSON texts that the server holds, a page at a time: read as NDJSON, so that no number is parsed and written
 * again on the way. `limit`: records in all. Throws the reason of `signal`.
 */
export async function* recordPages(
  connection: Connection,
  stream: string,
  query: QueryParameters,
  limit: number,
  signal?: AbortSignal,
): AsyncGenerator<readonly string[], void> {
  let cursor: string | null = null;
  for (let left = limit; left > 0; ) {
    const response: Response = await connection.request("GET", `/v1/streams/${encodeURIComponent(stream)}/records`, {
      query: { ...query, limit: Math.min(left, limits.pageRowsMax), cursor },
      headers: { accept: "application/x-ndjson" },
      signal,
    });
    const lines = (await response.text()).split("\n").filter((line) => line !== "");
    yield lines;
    left -= lines.length;
    cursor = nextCursor(response.headers.get("link"), connection.url);
    if (cursor === null) return;
  }
}

/** The cursor in `Link: <…?cursor=…>; rel="next"`. */
function nextCursor(link: string | null, url: string): string | null {
  const target = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(link ?? "")?.[1];
  return target === undefined ? null : (URL.parse(target, url)?.searchParams.get("cursor") ?? null);
}
