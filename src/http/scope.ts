import type { Principal, RequestEnvironment, Services } from "./services.ts";

/** What one request is handled with; travels as the router's bindings. */
export interface Scope {
  readonly services: Services;
  readonly environment: RequestEnvironment;
  /** `X-Request-Id` of the answer and of every problem. */
  readonly requestId: string;
}

/** Where a request got past the key check. */
export interface KnownScope extends Scope {
  readonly principal: Principal;
}
