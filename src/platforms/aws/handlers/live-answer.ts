import { hash } from "node:crypto";
import { liveMessage } from "../../../http/live-listeners.ts";
import type { LiveEvent, Services } from "../../../http/services.ts";
import { anyAnomaly } from "../../../model/anomaly.ts";
import { anyFailure } from "../../../model/job.ts";
import { limits } from "../../../model/limits.ts";

/** Commits may become visible in another order than they were received in: so far back each poll looks again. */
const overlapMillis = 30_000;
/** A client comes back after so long. */
const retryMillis = 2_000;
/** Of each kind and stream that one poll looks at; a person reads none of them faster. */
const rowsMax = limits.liveMessagesPerSecondMax;

/** Where a listener is: what was received since, except what it was told already. */
interface LiveCursor {
  readonly since: number;
  /** Short hashes of the ids of all since then that it knows. */
  readonly known: readonly string[];
}

interface LiveRow {
  readonly id: string;
  readonly event: LiveEvent;
}

type LiveServices = Pick<Services, "records" | "failures" | "anomalies" | "project">;

/**
 * The live tail where no answer can stay open: what came since `Last-Event-ID`, its successor, and the end. Without one, the
 * answer only says from where on. `response` is what the app has answered; its headers stay.
 */
export async function answerLive(
  request: Request,
  response: Response,
  tenant: string,
  services: LiveServices,
): Promise<Response> {
  await response.body?.cancel();
  const now = Date.now();
  const cursor = decode(request.headers.get("last-event-id"));
  const stream = new URL(request.url).searchParams.get("stream");
  const since = cursor?.since ?? now - overlapMillis;
  const rows = await rowsSince(services, tenant, stream, since);
  const known = new Set(cursor?.known);
  const news = cursor === null ? [] : rows.filter(({ id }) => !known.has(short(id)));
  const told = news.slice(0, rowsMax);
  const skipped: LiveEvent = { kind: "skipped", count: news.length - told.length };
  const messages = [...told.map(({ event }) => event), ...(skipped.count > 0 ? [skipped] : [])];
  // What is older than the overlap need not be remembered: the next poll does not see it.
  const next: LiveCursor = { since: Math.max(since, now - overlapMillis), known: rows.map(({ id }) => short(id)) };
  const text = [
    `retry: ${retryMillis}\n: listening\n\n`,
    ...messages.map((event) => liveMessage(services, event)),
    `id: ${encode(next)}\n\n`,
  ].join("");
  return new Response(text, { status: response.status, headers: response.headers });
}

/** Oldest first. Records are looked for among the newest by event time. */
async function rowsSince(
  services: LiveServices,
  tenant: string,
  stream: string | null,
  since: number,
): Promise<readonly LiveRow[]> {
  const page = { limit: rowsMax, cursor: null };
  const streams = stream === null ? [...services.project().streams.keys()] : [stream];
  const of = { tenant, ...page };
  const [records, failures, anomalies] = await Promise.all([
    Promise.all(
      streams.map((name) =>
        services.records.query({ ...of, stream: name, from: null, to: null, order: "desc", where: [] }),
      ),
    ),
    services.failures.query({ ...of, ...anyFailure, stream, from: since, order: "desc" }),
    services.anomalies.query({ ...of, ...anyAnomaly, stream, from: since }),
  ]);
  const recent = records.flatMap(({ rows }) => rows).filter(({ receivedAt }) => receivedAt >= since);
  return [
    ...recent.reverse().map((record) => ({ id: record.id, event: { kind: "record", record } as const })),
    ...failures.rows.toReversed().map((failure) => ({ id: failure.id, event: { kind: "failure", failure } as const })),
    ...anomalies.rows.toReversed().map((anomaly) => ({ id: anomaly.id, event: { kind: "anomaly", anomaly } as const })),
  ];
}

function short(id: string): string {
  return hash("sha1", id, "base64url").slice(0, 8);
}

function encode({ since, known }: LiveCursor): string {
  return `${since}.${known.join("")}`;
}

function decode(text: string | null): LiveCursor | null {
  const [, since, known = ""] = /^(\d{1,15})\.((?:[\w-]{8})*)$/.exec(text ?? "") ?? [];
  return since === undefined ? null : { since: Number(since), known: known.match(/.{8}/g) ?? [] };
}
