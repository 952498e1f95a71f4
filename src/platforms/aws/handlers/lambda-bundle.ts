import type { BundledConfig } from "../../../config/bundled-project.ts";

/** What `eventpulse build` puts into a bundle beside the handler. */
export interface LambdaBundle extends BundledConfig {
  /** Version of EventPulse. */
  readonly version: string;
}

/** Of Lambda's context, what handlers look at. */
export interface LambdaContext {
  readonly awsRequestId: string;
  /** Milliseconds until Lambda ends the call. */
  getRemainingTimeInMillis(): number;
}
