import { hash } from "node:crypto";
import { EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { NotificationLog } from "../../ports/notification-log.ts";
import type { ObjectStore, UploadLink, UploadLinkRequest } from "../../ports/object-store.ts";
import type { ObjectResult, RecordTable } from "../../ports/record-table.ts";
import type { WorkQueue } from "../../ports/work-queue.ts";
import { uploadNoticeId, uploadNoticeText } from "../notify/upload-notice.ts";
import type { Contract } from "../process/contract.ts";
import { readRequest } from "./accept.ts";
import { rawFormat } from "./raw-format.ts";
import { uploadMetadata, uploadRawMeta } from "./upload-metadata.ts";
import { parseUploadTicket, type UploadTicket, uploadKeys, uploadTicketJson } from "./upload-ticket.ts";

/** What somebody wants to upload. */
export interface UploadRequest {
  readonly tenant: string;
  readonly principal: string;
  readonly stream: string;
  /** For people: 1 to 255 characters. */
  readonly fileName: string;
  readonly contentType: string;
  /** Exact length of the file, 1 to `limits.bodyBytesMax`. */
  readonly bytes: number;
  /** Hex SHA-256 of the file; null when it is not known beforehand. */
  readonly sha256: string | null;
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  /** 24 hex digits that nobody can guess. */
  readonly random: string;
}

/** Makes links. An object store can; a platform whose links lead past it notes whose file may come. */
export interface UploadLinks {
  uploadLink(key: string, request: UploadLinkRequest & { readonly tenant: string }): Promise<UploadLink>;
}

export interface CreatedUpload {
  readonly ticket: UploadTicket;
  readonly link: UploadLink;
}

/** What a signed link, whose signature was checked, lets its holder put. */
export interface VerifiedUploadLink {
  readonly key: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string | null;
}

/**
 * States of an upload.
 * - `waiting`: entered when its link is made; left to `received`, or to `expired` when the link ends unused.
 * - `received`: the file is durable; left to `processed`.
 * - `processed`: its outcome is committed; final. `result` counts what became of its events.
 * - `expired`: no file came in time; final.
 */
export type UploadState = "waiting" | "received" | "processed" | "expired";

export interface UploadStatus {
  readonly ticket: UploadTicket;
  readonly state: UploadState;
  /** When the file arrived; null before. */
  readonly receivedAt: number | null;
  readonly result: ObjectResult | null;
  /** Which of its events could not be taken and why, in plain words; null when there are none, or not yet. */
  readonly notice: string | null;
}

/**
 * Makes a link for one file. A ticket is kept beside it: it binds the upload to who asked and lets its state be asked for.
 * Throws CONTENT_TYPE_UNSUPPORTED for what cannot be read as events.
 */
export async function createUpload(
  ports: { readonly objects: Pick<ObjectStore, "put"> & UploadLinks },
  request: UploadRequest,
): Promise<CreatedUpload> {
  rawFormat(request.contentType, {}, "upload");
  const day = new Date(request.requestedAt).toISOString().slice(0, 10).replaceAll("-", "");
  const id = `upl_${day}_${request.stream}_${request.random}`;
  const keys = uploadKeys(id);
  if (keys === null) throw new EventPulseError("STREAM_UNKNOWN", "The stream's name cannot be part of an upload id.");
  const { tenant, principal, stream, fileName, contentType, bytes, sha256 } = request;
  const expiresAt = request.requestedAt + limits.uploadLinkSeconds * 1000;
  const ticket: UploadTicket = { id, tenant, principal, stream, fileName, contentType, bytes, sha256, expiresAt };
  await ports.objects.put(keys.ticket, uploadTicketJson(ticket));
  const link = await ports.objects.uploadLink(keys.raw, { tenant, contentType, bytes, sha256, expiresAt });
  return { ticket, link };
}

/** The ticket of an upload, or null when no such upload was ever asked for. */
export async function uploadTicket(
  ports: { readonly objects: Pick<ObjectStore, "get"> },
  id: string,
): Promise<UploadTicket | null> {
  const keys = uploadKeys(id);
  const body = keys === null ? null : await ports.objects.get(keys.ticket);
  return body === null ? null : parseUploadTicket(body);
}

export interface ReceivedFile {
  readonly link: VerifiedUploadLink;
  readonly ticket: UploadTicket;
  readonly contract: Contract;
  readonly contentType: string | null;
  readonly body: Uint8Array;
  readonly receivedAt: number;
}

/**
 * Takes the file that a link was made for: checks type, length and checksum, makes it durable and enqueues its processing.
 * Sending the same file again is no error. Answers with the number of events in it. Throws CONTENT_TYPE_UNSUPPORTED,
 * BODY_INVALID (another length or checksum), STATE_CONFLICT (another file is there already), and what a request with this
 * body would get: a file that cannot be read at all is refused and kept nowhere.
 */
export async function receiveUpload(
  ports: {
    readonly objects: Pick<ObjectStore, "put" | "head">;
    readonly queue: Pick<WorkQueue, "enqueue">;
    readonly records: Pick<RecordTable, "objectResult">;
  },
  { link, ticket, contract, contentType, body, receivedAt }: ReceivedFile,
): Promise<{ readonly events: number; readonly sha256: string }> {
  const sha256 = checkFile(link, contentType, body);
  const { meta } = readRequest({
    tenant: ticket.tenant,
    contract,
    door: "upload",
    contentType: link.contentType,
    headers: { "content-type": link.contentType },
    body,
    principal: ticket.principal,
    idempotencyKey: null,
    receivedAt,
  });
  const stored = await ports.objects.put(link.key, body, uploadMetadata(meta, ticket.fileName, sha256));
  if (stored === "exists") {
    const first = await ports.objects.head(link.key);
    if (first?.metadata["sha256"] !== sha256) {
      throw new EventPulseError("STATE_CONFLICT", `Another file was uploaded with this link; ask for a new link.`);
    }
    if ((await ports.records.objectResult(link.key)) !== null) return { events: meta.events, sha256 };
  }
  // Also when the file was there: the process may have ended between the two, and processing twice changes nothing.
  const { tenant, stream } = ticket;
  await ports.queue.enqueue([{ kind: "upload", tenant, stream, rawKey: link.key, events: meta.events }]);
  return { events: meta.events, sha256 };
}

/** How far an upload has come. */
export async function uploadStatus(
  ports: {
    readonly objects: Pick<ObjectStore, "head">;
    readonly records: Pick<RecordTable, "objectResult">;
    readonly notifications: Pick<NotificationLog, "get">;
  },
  ticket: UploadTicket,
  now: number,
): Promise<UploadStatus> {
  const keys = uploadKeys(ticket.id);
  const file = keys === null ? null : await ports.objects.head(keys.raw);
  if (keys === null || file === null) {
    const state = now < ticket.expiresAt ? "waiting" : "expired";
    return { ticket, state, receivedAt: null, result: null, notice: null };
  }
  const receivedAt = file.storedAt;
  const result = await ports.records.objectResult(keys.raw);
  if (result === null) return { ticket, state: "received", receivedAt, result, notice: null };
  const told = await ports.notifications.get(ticket.tenant, uploadNoticeId(keys.raw));
  const { fileName } = ticket;
  const { quarantined, dead } = result;
  const events = uploadRawMeta(file.metadata)?.events ?? 0;
  const format = rawFormat(ticket.contentType, {}, "upload");
  const notice = uploadNoticeText(told, { fileName, format, events, failed: quarantined + dead });
  return { ticket, state: "processed", receivedAt, result, notice };
}

/** Answers with the file's SHA-256. */
function checkFile(link: VerifiedUploadLink, contentType: string | null, body: Uint8Array): string {
  if (contentType !== link.contentType) {
    throw new EventPulseError(
      "CONTENT_TYPE_UNSUPPORTED",
      `The link is for ${link.contentType}; send exactly this content type or ask for another link.`,
    );
  }
  if (body.length !== link.bytes) {
    throw new EventPulseError("BODY_INVALID", `The file has ${body.length} bytes; the link is for ${link.bytes}.`);
  }
  const sha256 = hash("sha256", body);
  if (link.sha256 !== null && sha256 !== link.sha256) {
    throw new EventPulseError("BODY_INVALID", "The file's SHA-256 is not the one that the link was made for.");
  }
  return sha256;
}
