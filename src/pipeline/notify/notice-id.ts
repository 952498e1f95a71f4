import { hash } from "node:crypto";

/** Id of a notification, derived from what it is about: the same decision twice is one notification. */
export function noticeId(about: string): string {
  return `ntf_${hash("sha1", about).slice(0, 24)}`;
}
