import { hash } from "node:crypto";
import { basename } from "node:path";
import { type Connection, errorDetails, isObject, sleep } from "../client/connection.ts";
import { listPages } from "../client/list-pages.ts";
import { batchBytesMax } from "../client/send-events.ts";
import { EventPulseError } from "../model/error.ts";
import { type CsvPiece, csvPieces } from "./located-event.ts";
import type { SendTally } from "./send-tally.ts";

export interface CsvSending {
  readonly connection: Connection;
  readonly stream: string;
  readonly tally: SendTally;
  /** Nothing new is begun once this aborts. */
  readonly stopped: AbortSignal;
}

const contentType = "text/csv";
/** Between two questions whether a file has been processed: short at first, so that a small file is quick. */
const pollMillisFirst = 50;
const pollMillisMax = 1_000;

/**
 * Sends a CSV file through the upload door, in pieces that the door takes, one after another, and waits until each is
 * processed. A piece that the server cannot read at all is counted as one invalid thing.
 */
export async function sendCsv(sending: CsvSending, file: string, body: Uint8Array): Promise<void> {
  for (const piece of csvPieces(body, batchBytesMax)) {
    if (sending.stopped.aborted) return;
    await sendPiece(sending, file, piece);
  }
}

async function sendPiece({ connection, stream, tally }: CsvSending, file: string, piece: CsvPiece): Promise<void> {
  let sent: SentUpload;
  try {
    sent = await upload(connection, stream, file, piece.body);
  } catch (error) {
    if (!(error instanceof EventPulseError) || ![400, 413, 422].includes(error.status)) throw error;
    tally.add({ sent: 1, requests: 2 });
    tally.invalid({ file, line: null }, false, [{ pointer: "", code: error.code, detail: error.message }]);
    return;
  }
  const { requests, failures } = await processed(connection, sent.id);
  tally.read(piece.body.length);
  tally.add({ sent: sent.events, accepted: sent.events, requests: 2 + requests });
  if (failures === null) return;
  for await (const page of listPages(connection, "/v1/failures", failures)) {
    for (const failure of page.filter(isObject)) {
      // The list is of the stream since the file came; others may have failed meanwhile.
      if (!String(failure["rawKey"]).endsWith(`/${sent.id}`)) continue;
      const line = piece.lines[Number(failure["rawIndex"])] ?? null;
      tally.invalid({ file, line }, true, errorDetails(failure["errors"]));
    }
  }
}

interface SentUpload {
  readonly id: string;
  readonly events: number;
}

async function upload(connection: Connection, stream: string, file: string, body: Uint8Array): Promise<SentUpload> {
  const wanted = {
    stream,
    fileName: basename(file).slice(0, 255),
    contentType,
    bytes: body.length,
    sha256: hash("sha256", body),
  };
  const link = await connection.json("POST", "/v1/uploads", {
    headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
    body: JSON.stringify(wanted),
  });
  if (
    !isObject(link) ||
    typeof link["id"] !== "string" ||
    typeof link["url"] !== "string" ||
    !isObject(link["headers"])
  ) {
    throw new EventPulseError("ANSWER_INVALID", "The server's answer is no upload link.");
  }
  const received = await connection.put(link["url"], link["headers"] as Record<string, string>, new Uint8Array(body));
  return { id: link["id"], events: isObject(received) ? Number(received["events"]) : 0 };
}

/** Waits until the upload is processed; `failures` is the question that finds its failures, null when it has none. */
async function processed(connection: Connection, id: string) {
  for (let requests = 1; ; requests++) {
    const upload = await connection.json("GET", `/v1/uploads/${encodeURIComponent(id)}`);
    if (isObject(upload) && upload["state"] === "processed") {
      const failures = typeof upload["failures"] === "string" ? URL.parse(upload["failures"], connection.url) : null;
      return { requests, failures: failures === null ? null : Object.fromEntries(failures.searchParams) };
    }
    await sleep(Math.min(pollMillisFirst * requests, pollMillisMax));
  }
}
