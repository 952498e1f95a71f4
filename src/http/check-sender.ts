import { EventPulseError } from "../model/error.ts";
import type { Services } from "./services.ts";

/**
 * Refuses requests that a foreign page makes a browser send: a Host that is not this server (DNS rebinding), an Origin that
 * is not its own pages. Throws HOST_NOT_ALLOWED and ORIGIN_NOT_ALLOWED.
 */
export function checkSender(services: Pick<Services, "hostAllowed" | "publicUrl">, request: Request): void {
  const host = request.headers.get("host") ?? hostOf(request.url);
  if (!services.hostAllowed(host)) {
    throw new EventPulseError("HOST_NOT_ALLOWED", "The Host header must name this server, for example localhost.");
  }
  const origin = request.headers.get("origin");
  if (origin === null || origin === `http://${host}` || origin === `https://${host}`) return;
  if (origin !== URL.parse(services.publicUrl())?.origin) {
    throw new EventPulseError("ORIGIN_NOT_ALLOWED", "Pages from elsewhere may not use this server through a browser.");
  }
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "";
}
