import { EventPulseError } from "../model/error.ts";
import type { Failure } from "../model/failure.ts";
import type { KnownScope } from "./scope.ts";

/** A failure of the principal's tenant. Throws FAILURE_UNKNOWN. */
export async function knownFailure({ services, principal }: KnownScope, id: string): Promise<Failure> {
  return orUnknown(await services.failures.get(principal.tenant, id));
}

/** The failure and its bytes as they were sent. Throws FAILURE_UNKNOWN. */
export async function knownPayload(scope: KnownScope, id: string) {
  const failure = await knownFailure(scope, id);
  const payload = orUnknown(await scope.services.failures.payload(scope.principal.tenant, id));
  return { failure, payload };
}

/** What a port gave for a failure. Throws FAILURE_UNKNOWN for null. */
export function orUnknown<Found>(found: Found | null): Found {
  if (found !== null) return found;
  throw new EventPulseError(
    "FAILURE_UNKNOWN",
    "No failure has this id; it may have expired. GET /v1/failures lists them.",
  );
}
