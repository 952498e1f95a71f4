import { randomUUID } from "node:crypto";

/** As long as a UUID with a prefix and some room; longer ones fill logs. */
const requestIdCharactersMax = 128;

/** The client's own `X-Request-Id` when it is safe to log and to send back, else a new one. */
export function requestIdOf(request: Request): string {
  const given = request.headers.get("x-request-id");
  if (given !== null && given.length <= requestIdCharactersMax && /^[A-Za-z0-9._:/+=-]+$/.test(given)) return given;
  return `req_${randomUUID()}`;
}
