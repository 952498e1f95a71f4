import { NodeHttpHandler } from "@smithy/node-http-handler";

/** Connections to one service at once: a commit writes up to 100 items side by side. */
const socketsMax = 100;

/**
 * What every SDK client of this platform is made with. Retries are the SDK's own and nobody else's: four attempts with its
 * jittered back-off; what fails after that fails the message, which the queue delivers again.
 */
export function sdkOptions() {
  return {
    maxAttempts: 4,
    retryMode: "standard",
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 2_000,
      requestTimeout: 10_000,
      httpsAgent: { maxSockets: socketsMax },
      httpAgent: { maxSockets: socketsMax },
    }),
  } as const;
}
