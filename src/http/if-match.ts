import { EventPulseError } from "../model/error.ts";
import { tagsOf } from "./respond.ts";

/**
 * Holds an If-Match header (RFC 9110, section 13.1.1) against the version that was just read. No header, or `*`, asks for
 * nothing. Throws ETAG_STALE; weak tags never match.
 */
export function checkIfMatch(request: Request, version: number): void {
  const header = request.headers.get("if-match");
  if (header === null) return;
  const tags = tagsOf(header);
  if (tags.includes("*") || tags.includes(`"${version}"`)) return;
  throw new EventPulseError("ETAG_STALE", `It is at version "${version}" now; read it again and decide anew.`);
}

/** Whether the client asked for a certain version; without, a race may be tried again. */
export function hasIfMatch(request: Request): boolean {
  const header = request.headers.get("if-match");
  return header !== null && header.trim() !== "*";
}

/** The version that a change is for: `version` as it was just read, or null (any) when no If-Match asks for one. Throws ETAG_STALE. */
export function wantedVersion(request: Request, version: number): number | null {
  checkIfMatch(request, version);
  return hasIfMatch(request) ? version : null;
}

/** What an operation says of its If-Match header. */
export const ifMatchHeader = { "If-Match": "The ETag you have: 412 when it has changed since." };
export const etagHeader = { ETag: "Its version, for If-Match." };
