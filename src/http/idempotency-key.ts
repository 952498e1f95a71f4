import { invalidParameters } from "./parameters.ts";

/** What an operation says of its Idempotency-Key header. */
export const idempotencyKeyHeader = {
  "Idempotency-Key": "1 to 255 visible ASCII characters; the same key means the same request.",
};

/** The key of a request that may be sent again; null when it has none. Throws PARAMETER_INVALID. */
export function idempotencyKeyOf(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const detail = '"Idempotency-Key" must have 1 to 255 visible ASCII characters';
  throw invalidParameters([{ pointer: "/headers/idempotency-key", code: "PARAMETER_INVALID", detail }]);
}
