import { EventPulseError } from "../model/error.ts";
import type { Principal, Services } from "./services.ts";

/** Who asks, by the bearer token (RFC 6750, section 2.1). Throws KEY_INVALID. */
export function bearerPrincipal(services: Pick<Services, "authenticate">, request: Request): Principal {
  const header = request.headers.get("authorization");
  const token = header === null ? null : bearerToken(header);
  const principal = header !== null && token === null ? null : services.authenticate(token);
  if (principal !== null) return principal;
  throw new EventPulseError(
    "KEY_INVALID",
    header === null
      ? "Send an API key: `Authorization: Bearer KEY`."
      : "The Authorization header must hold a valid API key: `Bearer KEY`.",
  );
}

function bearerToken(header: string): string | null {
  if (header.slice(0, 7).toLowerCase() !== "bearer ") return null;
  const token = header.slice(7).trim();
  return token === "" ? null : token;
}
