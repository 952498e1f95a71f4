import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { EventPulseError } from "../../model/error.ts";
import { checkObjectKey, checkObjectMetadata } from "../../model/object-key.ts";
import type { ListedObject, ObjectStore, StoredObject, UploadLinkRequest } from "../../ports/object-store.ts";
import type { Clock } from "./table.ts";

export interface S3ObjectStoreOptions {
  /** Made with `s3Options()`. */
  readonly client: S3Client;
  readonly bucket: string;
  readonly clock: Clock;
}

/** What S3 knows of an object besides what the port asks for. */
export interface KnownObject {
  readonly object: StoredObject;
  /** Content type that it was put with. */
  readonly contentType: string | null;
  /** Differs between two objects that were put under one key. */
  readonly version: string;
}

/** An object and all that is known of it, from one request. */
export interface ReadObject extends KnownObject {
  readonly body: Uint8Array;
}

export interface S3ObjectStore extends ObjectStore {
  /** Body and metadata at once, or null when no object has this key. Takes every key of S3: clients put objects under theirs. */
  read(key: string): Promise<ReadObject | null>;
  /** What is known of an object under any key of S3, or null. */
  headAny(key: string): Promise<KnownObject | null>;
}

/**
 * What an S3 client of this platform needs besides `sdkOptions()`. A link must not carry the checksum of the empty body that the
 * SDK would sign into it, so checksums are asked for where bodies are put.
 */
export const s3Options = { requestChecksumCalculation: "WHEN_REQUIRED" } as const;

/** Puts of one key at the same time make S3 refuse some of them undecided; each such round decides at least one. */
const conflictRoundsMax = 10;
const linkSecondsMax = 7 * 24 * 60 * 60;

/** Objects in one S3 bucket. Encryption, versions and expiry are the bucket's own settings. */
export function s3ObjectStore({ client, bucket: Bucket, clock }: S3ObjectStoreOptions): S3ObjectStore {
  const at = (Key: string) => {
    checkObjectKey(Key);
    return { Bucket, Key };
  };
  const read = async (key: string): Promise<ReadObject | null> => {
    const answer = await absentAsNull(client.send(new GetObjectCommand({ Bucket, Key: key, ChecksumMode: "ENABLED" })));
    if (answer === null) return null;
    const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { ...known(key, answer), body };
  };
  const headAny = async (key: string): Promise<KnownObject | null> => {
    const answer = await absentAsNull(client.send(new HeadObjectCommand({ Bucket, Key: key })));
    return answer && known(key, answer);
  };
  return {
    read,
    headAny,
    async put(key, body, metadata = {}) {
      const place = at(key);
      checkObjectMetadata(metadata);
      return putNew(client, { ...place, Body: body, Metadata: encodeMetadata(metadata) });
    },
    async get(key) {
      checkObjectKey(key);
      return (await read(key))?.body ?? null;
    },
    async head(key) {
      checkObjectKey(key);
      return (await headAny(key))?.object ?? null;
    },
    list: (prefix) => list(client, Bucket, prefix),
    async delete(key) {
      await client.send(new DeleteObjectCommand(at(key)));
    },
    async uploadLink(key, request) {
      return { method: "PUT", ...(await signLink(client, at(key), request, clock())) };
    },
  };
}

type NewObject = { readonly Bucket: string; readonly Key: string; readonly Body: Uint8Array } & {
  readonly Metadata: Record<string, string>;
};

async function putNew(client: S3Client, object: NewObject): Promise<"created" | "exists"> {
  for (let round = 1; ; round++) {
    try {
      // The checksum goes with the body and stays with the object: what S3 gives back later is checked against it.
      await client.send(new PutObjectCommand({ ...object, IfNoneMatch: "*", ChecksumAlgorithm: "CRC32" }));
      return "created";
    } catch (error) {
      if (statusOf(error) === 412) return "exists";
      if (statusOf(error) !== 409 || round === conflictRoundsMax) throw error;
    }
  }
}

async function* list(client: S3Client, bucket: string, prefix: string): AsyncGenerator<ListedObject> {
  if (!prefix.isWellFormed() || prefix.includes("\u0000")) return;
  let token: string | undefined;
  do {
    // XML cannot carry every character that a key may hold: S3 is asked to encode them.
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token, EncodingType: "url" }),
    );
    for (const { Key: key = "", Size: bytes = 0, LastModified: time } of page.Contents ?? []) {
      yield { key: decodeURIComponent(key.replaceAll("+", " ")), bytes, storedAt: time?.getTime() ?? 0 };
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

/**
 * Everything that the link is bound to is a signed header, so that S3 itself refuses another length, type, content or a second
 * object; `content-length` is set by every HTTP client on its own.
 */
async function signLink(
  client: S3Client,
  place: { readonly Bucket: string; readonly Key: string },
  { contentType, bytes, sha256, expiresAt }: UploadLinkRequest,
  now: number,
): Promise<{ readonly url: string; readonly headers: Record<string, string> }> {
  const checksum = sha256 === null ? null : Buffer.from(sha256, "hex").toString("base64");
  const headers = {
    "content-type": contentType,
    "if-none-match": "*",
    ...(checksum !== null && { "x-amz-checksum-sha256": checksum }),
  };
  const command = new PutObjectCommand({
    ...place,
    ContentType: contentType,
    ContentLength: bytes,
    IfNoneMatch: "*",
    ...(checksum !== null && { ChecksumSHA256: checksum }),
  });
  const signed = new Set([...Object.keys(headers), "content-length", "host"]);
  const url = await getSignedUrl(client, command, {
    signingDate: new Date(now),
    expiresIn: Math.min(linkSecondsMax, Math.max(1, Math.floor((expiresAt - now) / 1000))),
    signableHeaders: signed,
    unhoistableHeaders: signed,
  });
  return { url, headers };
}

interface ObjectAnswer {
  readonly ContentType?: string | undefined;
  readonly ETag?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ContentLength?: number | undefined;
  readonly LastModified?: Date | undefined;
  readonly Metadata?: Record<string, string> | undefined;
}

function known(key: string, answer: ObjectAnswer): KnownObject {
  const { ContentLength: bytes = 0, LastModified: time, Metadata: encoded = {} } = answer;
  const metadata = Object.fromEntries(Object.entries(encoded).map(([name, value]) => [name, decode(value)]));
  return {
    object: { key, bytes, storedAt: time?.getTime() ?? 0, metadata },
    contentType: answer.ContentType ?? null,
    version: answer.VersionId ?? answer.ETag ?? "",
  };
}

/** A header holds visible ASCII without spaces at its ends, so everything else is percent-encoded, and no text is a lone "%". */
function encodeMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const encoded: Record<string, string> = {};
  for (const [name, value] of Object.entries(metadata)) {
    encoded[name] = value === "" ? "%" : value.replaceAll(/%|^ +| +$|[^ -~]+/gu, encodeText);
  }
  try {
    checkObjectMetadata(encoded);
  } catch (cause) {
    const message = "S3 keeps metadata as ASCII, and this is more than 2 KB of it: put the rest into the body.";
    throw new EventPulseError("OBJECT_TOO_LARGE", message, { cause });
  }
  return encoded;
}

function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(" ", "%20");
}

function decode(value: string): string {
  if (value === "%") return "";
  try {
    return decodeURIComponent(value);
  } catch {
    // Not written by us.
    return value;
  }
}

async function absentAsNull<Answer>(call: Promise<Answer>): Promise<Answer | null> {
  try {
    return await call;
  } catch (error) {
    // A version that is a delete marker is 404 as well; 405 is what S3 says when it is asked for by its version.
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
