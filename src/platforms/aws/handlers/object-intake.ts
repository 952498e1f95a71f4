import { hash } from "node:crypto";
import { EventPulseError } from "../../../model/error.ts";
import { limits } from "../../../model/limits.ts";
import type { Outcome } from "../../../model/outcome.ts";
import type { RawObject } from "../../../model/raw-object.ts";
import { uploadTicket } from "../../../pipeline/ingest/upload.ts";
import { failObject, processObject, type WorkContext } from "../../../pipeline/process/process-work.ts";
import { rawKeyAt } from "../raw-log.ts";
import type { ObjectCreated } from "./object-event.ts";
import { type ReadFile, readFile, refusedOutcome } from "./received-file.ts";
import type { StageObjects } from "./stage.ts";

export interface IntakeOptions {
  readonly stores: Pick<StageObjects, "objects" | "raw">;
  readonly context: WorkContext;
  /** Whose files are taken from the inbox. */
  readonly tenants: readonly string[];
}

/** An object and how its outcome comes to be: null when there is nothing to process. */
export interface TakenObject {
  readonly object: RawObject;
  outcome(): Promise<Outcome>;
}

const subject = { kind: "object" } as const;
const streamPattern = /^[a-z][a-z0-9-]{0,62}$/;

/** Content types of files by their extension, for those that were put without saying what they are. */
const typeByExtension: Readonly<Record<string, string>> = {
  json: "application/json",
  ndjson: "application/x-ndjson",
  jsonl: "application/x-ndjson",
  csv: "text/csv",
};

/**
 * What S3 tells of: a raw object that a door has stored, a file that came through an upload link, or a file that somebody has put
 * under `inbox/{tenant}/{stream}/…`. The last becomes a raw object by its copy, of which S3 tells again. Null when there is nothing
 * (any more) to process under this key.
 */
export async function takeObject(event: ObjectCreated, options: IntakeOptions): Promise<TakenObject | null> {
  const { key } = event;
  if (key.startsWith("inbox/")) return takeFromInbox(event, options);
  if (!key.startsWith("raw/")) return null;
  const upload = /\/(upl_[^/]+)$/.exec(key)?.[1];
  if (upload !== undefined) return takeUpload(key, upload, options);
  const object = await options.stores.raw.read(key);
  return object && { object, outcome: () => processObject(object, subject, null, options.context) };
}

async function takeUpload(key: string, id: string, { stores, context }: IntakeOptions): Promise<TakenObject | null> {
  const [ticket, found] = [await uploadTicket(stores, id), await stores.objects.read(key)];
  if (ticket === null || found === null) return null;
  const { stream, contentType, fileName, principal, tenant } = ticket;
  const file = { key, tenant, stream, contentType, fileName, principal, body: found.body };
  const read = readFile({ ...file, receivedAt: found.object.storedAt }, context.contracts.get(stream));
  const meta = await stores.raw.adopt(key, read.meta);
  return taken({ key, meta, body: found.body }, read, context);
}

async function takeFromInbox(
  { key }: ObjectCreated,
  { stores, context, tenants }: IntakeOptions,
): Promise<TakenObject | null> {
  const [, tenant = "", stream = "", name] = /^inbox\/([^/]+)\/([^/]+)\/(.+)$/.exec(key) ?? [];
  // What belongs to nobody would be seen by nobody.
  if (name === undefined || !tenants.includes(tenant) || !streamPattern.test(stream)) return null;
  const head = await stores.objects.headAny(key);
  if (head === null) return null;
  const { storedAt } = head.object;
  const rawKey = rawKeyAt({ stream }, storedAt, hash("sha256", `${key}\n${head.version}`).slice(0, 16));
  const large = head.object.bytes > limits.bodyBytesMax;
  const found = large ? null : await stores.objects.read(key);
  if (!large && found === null) return null;
  const fileName = name.slice(-255);
  const contentType = contentTypeOf(head.contentType, fileName);
  const body = found?.body ?? new Uint8Array(0);
  const file = { key: rawKey, tenant, stream, fileName, contentType, principal: "inbox", body, receivedAt: storedAt };
  const read = large ? tooLarge(readFile(file, undefined), key) : readFile(file, context.contracts.get(stream));
  const object = { key: rawKey, meta: read.meta, body };
  if (read.refused !== null || !context.contracts.has(stream)) return taken(object, read, context);
  // Told of again: the copy is there, and perhaps committed already.
  if ((await stores.objects.head(rawKey)) === null) await stores.raw.appendAs(rawKey, object);
  return null;
}

function taken(object: RawObject, { refused }: ReadFile, context: WorkContext): TakenObject {
  const outcome = async () =>
    refused === null ? processObject(object, subject, null, context) : refusedOutcome(object, refused, context.project);
  return { object, outcome };
}

function tooLarge({ meta }: ReadFile, key: string): ReadFile {
  const message = `The file is larger than ${limits.bodyBytesMax} bytes; it lies under ${key}. Split it and put the parts.`;
  return { meta, refused: new EventPulseError("BODY_TOO_LARGE", message) };
}

function contentTypeOf(given: string | null, fileName: string): string {
  const unknown = given === null || given === "" || given.startsWith("binary/") || given === "application/octet-stream";
  const extension = fileName.slice(fileName.lastIndexOf(".") + 1).toLowerCase();
  return unknown ? (typeByExtension[extension] ?? "application/json") : given;
}

/** The outcome of an object that was delivered too often without an end. */
export function poisonOutcome(object: RawObject, context: Pick<WorkContext, "project">): Outcome {
  const detail = "Processing it was tried too often without an end.";
  return failObject(object, subject, null, "OBJECT_POISON", detail, context.project);
}
