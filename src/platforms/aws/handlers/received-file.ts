import { hash } from "node:crypto";
import type { Project } from "../../../model/definition.ts";
import { EventPulseError } from "../../../model/error.ts";
import type { FailureClass } from "../../../model/failure.ts";
import type { Outcome } from "../../../model/outcome.ts";
import type { RawMeta, RawObject } from "../../../model/raw-object.ts";
import { readRequest } from "../../../pipeline/ingest/accept.ts";
import { rawFormat } from "../../../pipeline/ingest/raw-format.ts";
import { uploadMetadata, uploadRawMeta } from "../../../pipeline/ingest/upload-metadata.ts";
import type { Contract } from "../../../pipeline/process/contract.ts";
import { failRaw } from "../../../pipeline/process/fail-raw.ts";

/** A file that a client put into the bucket: nobody could be answered, so nobody has looked into it yet. */
export interface ReceivedFile {
  readonly tenant: string;
  readonly stream: string;
  readonly principal: string;
  readonly fileName: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly receivedAt: number;
  /** What it is stored under: the same file is the same events, however often S3 tells of it. */
  readonly key: string;
}

/** What is known of a file after it was read: its `RawMeta`, and why it cannot be taken, or null. */
export interface ReadFile {
  readonly meta: RawMeta;
  readonly refused: EventPulseError | null;
}

/** Reads a file as the HTTP door reads a request. Throws only for our own mistakes. */
export function readFile(file: ReceivedFile, contract: Contract | undefined): ReadFile {
  const { tenant, stream, principal, contentType, body, receivedAt, fileName } = file;
  const idSeed = hash("sha256", file.key).slice(0, 14);
  if (contract === undefined) return { meta: unreadMeta(file, idSeed), refused: null };
  try {
    const headers = { "content-type": contentType };
    const { meta } = readRequest({
      ...{ tenant, contract, door: "upload", contentType, headers, body, principal, receivedAt },
      idempotencyKey: null,
    });
    const named = uploadRawMeta(uploadMetadata({ ...meta, idSeed }, fileName, ""));
    return { meta: named ?? { ...meta, idSeed, stream }, refused: null };
  } catch (error) {
    if (!(error instanceof EventPulseError)) throw error;
    return { meta: unreadMeta(file, idSeed), refused: error };
  }
}

/** The outcome of a file that cannot be taken: one failure with all of its bytes, as one event. */
export function refusedOutcome(
  object: RawObject,
  { code, message, errors }: EventPulseError,
  project: Project,
): Outcome {
  const reason = {
    stage: "decode",
    class: "invalid" satisfies FailureClass,
    code,
    errors: errors.length > 0 ? errors : [{ pointer: "", code, detail: message }],
  } as const;
  return failRaw(object, { kind: "object" }, null, reason, project);
}

function unreadMeta({ tenant, stream, principal, contentType, receivedAt, fileName }: ReceivedFile, idSeed: string) {
  const meta: RawMeta = {
    ...{ tenant, stream, principal, contentType, receivedAt, idSeed },
    door: "upload",
    format: formatOf(contentType),
    headers: {},
    idSeedFromClient: false,
    events: 1,
  };
  return uploadRawMeta(uploadMetadata(meta, fileName, "")) ?? meta;
}

function formatOf(contentType: string): RawMeta["format"] {
  try {
    return rawFormat(contentType, {}, "upload");
  } catch {
    return "json";
  }
}
