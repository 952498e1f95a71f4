import { limits } from "../../model/limits.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import type { LiveListeners } from "../live-listeners.ts";
import { textParameter } from "../parameters.ts";
import { recordExample } from "../record-json.ts";
import { respond } from "../respond.ts";
import { knownContract } from "../stream-parameter.ts";

export function liveRoutes(listeners: LiveListeners): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "GET",
        path: "/v1/live",
        operationId: "listen",
        summary: "Watch what is committed, live",
        description:
          "Server-sent events `record`, `failure` and `anomaly`, each with the same JSON as the other operations give. " +
          `A listener gets up to ${limits.liveMessagesPerSecondMax} a second; \`skipped\` with \`{"count"}\` says how many were ` +
          `left out, so nothing is missing in silence. A comment comes after ${limits.liveHeartbeatSeconds} s of silence.`,
        tag: "events",
        query: { stream: textParameter("Only of this stream.") },
        responses: {
          200: {
            description: "The events, until the client leaves.",
            content: {
              "text/event-stream": {
                schema: null,
                example: `event: record\ndata: ${JSON.stringify(recordExample)}\n\nevent: skipped\ndata: {"count":1200}\n\n`,
              },
            },
          },
        },
        problems: ["STREAM_UNKNOWN", "TOO_BUSY"],
      },
      (call) => {
        const { stream } = call.query;
        if (stream !== undefined) knownContract(call.services, stream);
        const { services, principal, request } = call;
        const listen = () => listeners.listen(services, principal.tenant, stream ?? null, request.signal);
        // Nobody would ever cancel the body of an answer to HEAD.
        const body = request.method === "HEAD" ? null : listen();
        return respond(call, 200, "text/event-stream", body, { "x-accel-buffering": "no" });
      },
    ),
  ];
}
