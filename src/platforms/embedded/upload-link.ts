import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { EventPulseError } from "../../model/error.ts";
import type { UploadLink, UploadLinkRequest } from "../../ports/object-store.ts";

/** What a signed link lets its holder put. */
export interface UploadGrant {
  readonly key: string;
  readonly contentType: string;
  /** Exact length. */
  readonly bytes: number;
  /** Hex SHA-256, or null when the client gave none. */
  readonly sha256: string | null;
}

/**
 * A link to `PUT {baseUrl}/v1/uploads/{id}/content`, where the id is the last part of the key. All that it allows stands
 * in its query, signed with HMAC-SHA256: who holds it needs no key, and can put nothing else.
 */
export function signUploadLink(secret: string, baseUrl: string, key: string, request: UploadLinkRequest): UploadLink {
  const grant: UploadGrant = { key, contentType: request.contentType, bytes: request.bytes, sha256: request.sha256 };
  const query = new URLSearchParams({
    key,
    type: request.contentType,
    bytes: String(request.bytes),
    ...(request.sha256 === null ? {} : { sha256: request.sha256 }),
    expires: String(request.expiresAt),
    signature: signature(secret, grant, request.expiresAt),
  });
  const id = encodeURIComponent(key.slice(key.lastIndexOf("/") + 1));
  return {
    method: "PUT",
    url: `${baseUrl}/v1/uploads/${id}/content?${query}`,
    headers: { "content-type": request.contentType },
  };
}

/**
 * Checks a link and answers with what it allows. `url` may be whole or only path and query; the host is not part of the
 * signature, because proxies change it. Throws LINK_INVALID, and LINK_EXPIRED from its expiry on.
 */
export function verifyUploadLink(secret: string, url: string, now: number): UploadGrant {
  const parsed = URL.parse(url, "http://localhost");
  const query = parsed?.searchParams;
  const value = (name: string) => query?.get(name) ?? "";
  const grant: UploadGrant = {
    key: value("key"),
    contentType: value("type"),
    bytes: Number(value("bytes")),
    sha256: query?.get("sha256") ?? null,
  };
  const expiresAt = Number(value("expires"));
  const id = encodeURIComponent(grant.key.slice(grant.key.lastIndexOf("/") + 1));
  const genuine =
    parsed?.pathname.endsWith(`/v1/uploads/${id}/content`) === true &&
    sameText(value("signature"), signature(secret, grant, expiresAt));
  if (!genuine) {
    throw new EventPulseError(
      "LINK_INVALID",
      "The signature does not fit the link: use it exactly as it was given, or ask for a new one with POST /v1/uploads.",
    );
  }
  if (now >= expiresAt) {
    throw new EventPulseError(
      "LINK_EXPIRED",
      `The link ended at ${new Date(expiresAt).toISOString()}: ask for a new one with POST /v1/uploads.`,
    );
  }
  return grant;
}

/** Checks what came against what the link allows. Throws BODY_TRUNCATED, BODY_TOO_LARGE and, for type and checksum, LINK_INVALID. */
export function verifyUpload(grant: UploadGrant, contentType: string, body: Uint8Array): void {
  if (contentType !== grant.contentType) {
    throw new EventPulseError(
      "LINK_INVALID",
      `The link is for the content type ${grant.contentType}: send it as it is.`,
    );
  }
  if (body.byteLength !== grant.bytes) {
    const code = body.byteLength < grant.bytes ? "BODY_TRUNCATED" : "BODY_TOO_LARGE";
    throw new EventPulseError(
      code,
      `The link is for ${grant.bytes} bytes, ${body.byteLength} came: send the whole file.`,
    );
  }
  if (grant.sha256 !== null && hash("sha256", body, "hex") !== grant.sha256.toLowerCase()) {
    throw new EventPulseError("LINK_INVALID", "The SHA-256 of the body is not the one the link was made for.");
  }
}

/** JSON, so that no two grants read the same. */
function signature(secret: string, { key, contentType, bytes, sha256 }: UploadGrant, expiresAt: number): string {
  const text = JSON.stringify(["PUT", key, contentType, bytes, sha256, expiresAt]);
  return createHmac("sha256", secret).update(text).digest("base64url");
}

function sameText(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
