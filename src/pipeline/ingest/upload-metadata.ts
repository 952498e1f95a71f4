import * as z from "zod";
import { doors } from "../../model/glossary.ts";
import { type RawMeta, rawFormats } from "../../model/raw-object.ts";

const metadataSchema = z.object({
  tenant: z.string(),
  stream: z.string(),
  door: z.enum(doors),
  format: z.enum(rawFormats),
  "received-at": z.string().transform((text) => Date.parse(text)),
  "content-type": z.string(),
  "id-seed": z.string(),
  events: z.string().transform(Number).pipe(z.int()),
  principal: z.string(),
  /** Base64url: metadata of S3 is ASCII, and 255 characters stay below 1,021 bytes. Files of earlier versions lack it. */
  "file-name": z.string().optional(),
});

/**
 * What is kept with an uploaded file, as object metadata: all of its RawMeta, its name and its checksum. Below the 2 KB that
 * metadata may have.
 */
export function uploadMetadata(meta: RawMeta, fileName: string, sha256: string): Record<string, string> {
  return {
    tenant: meta.tenant,
    stream: meta.stream,
    door: meta.door,
    format: meta.format,
    "received-at": new Date(meta.receivedAt).toISOString(),
    "content-type": meta.contentType,
    "id-seed": meta.idSeed,
    events: String(meta.events),
    principal: meta.principal,
    "file-name": Buffer.from(fileName).toString("base64url"),
    sha256,
  };
}

/** The RawMeta of an uploaded file, from its metadata. Null when the metadata is not of that kind. */
export function uploadRawMeta(metadata: Readonly<Record<string, string>>): RawMeta | null {
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) return null;
  const { tenant, stream, door, format, events, principal } = parsed.data;
  const contentType = parsed.data["content-type"];
  const fileName = parsed.data["file-name"];
  return {
    tenant,
    stream,
    door,
    format,
    receivedAt: parsed.data["received-at"],
    contentType,
    headers: {
      "content-type": contentType,
      ...(fileName !== undefined && { "content-disposition": disposition(Buffer.from(fileName, "base64url")) }),
    },
    idSeed: parsed.data["id-seed"],
    idSeedFromClient: false,
    events,
    principal,
  };
}

/** RFC 6266: the header that names a file, and so stays with its failures. */
function disposition(fileName: Buffer): string {
  return `attachment; filename*=UTF-8''${encodeURIComponent(fileName.toString("utf8"))}`;
}

/** What its uploader called the file; null when that is not known. */
export function uploadFileName({ headers }: Pick<RawMeta, "headers">): string | null {
  const encoded = /^attachment; filename\*=UTF-8''(\S+)$/.exec(headers["content-disposition"] ?? "")?.[1];
  return encoded === undefined ? null : decodeURIComponent(encoded);
}
