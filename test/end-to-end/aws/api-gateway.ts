import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { LambdaFunction } from "./lambda-function.ts";
import { type GatewayAnswer, gatewayAnswer, proxyEvent } from "./proxy-event.ts";

/** What API Gateway takes in a request: 10 MB. */
const bodyBytesMax = 10 * 1024 * 1024;
/** How long it waits for a function. */
const integrationMillisMax = 29_000;

export interface GatewayOptions {
  readonly port: number;
  readonly stage: string;
  /** Requests a second, and at once, past which it answers 429. Null: none. */
  readonly throttle: { readonly rate: number; readonly burst: number } | null;
  /** The function behind every route; asked for at each request, since a new configuration replaces it. */
  readonly target: () => LambdaFunction;
}

export interface ApiGateway {
  close(): Promise<void>;
}

/** An HTTP server that does with a request what API Gateway's REST API does, as a custom domain: without the stage in its paths. */
export async function startApiGateway(options: GatewayOptions): Promise<ApiGateway> {
  const admits = tokenBucket(options.throttle);
  const server = createServer((request, response) => {
    void answer(request, options, admits)
      .catch((error: Error) => plain(500, "INTERNAL_SERVER_ERROR", error.message))
      .then((answered) => write(response, answered))
      .catch(() => response.destroy());
  });
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  return {
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function answer(
  request: IncomingMessage,
  { stage, target }: GatewayOptions,
  admits: () => boolean,
): Promise<GatewayAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= bodyBytesMax) chunks.push(chunk);
  }
  if (!admits()) return plain(429, "TooManyRequestsException", "Too Many Requests");
  if (bytes > bodyBytesMax) return plain(413, "RequestTooLargeException", "Request Too Long");
  const event = proxyEvent({
    id: randomUUID(),
    method: request.method ?? "GET",
    target: request.url ?? "/",
    rawHeaders: request.rawHeaders,
    body: Buffer.concat(chunks),
    sourceIp: request.socket.remoteAddress ?? "127.0.0.1",
    stage,
    time: Date.now(),
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), integrationMillisMax);
  });
  const invocation = await Promise.race([target().invoke(event), late]).finally(() => clearTimeout(timer));
  if (invocation === "late") return plain(504, "InternalServerErrorException", "Endpoint request timed out");
  if (invocation.kind === "error") {
    if (invocation.errorType === "RequestEntityTooLargeException")
      return plain(413, "RequestTooLargeException", "Request Too Long");
    return plain(502, "InternalServerErrorException", "Internal server error");
  }
  return gatewayAnswer(invocation.result) ?? plain(502, "InternalServerErrorException", "Internal server error");
}

/** Bodies of API Gateway's own answers; they are JSON and no problem of ours. */
function plain(status: number, type: string, message: string): GatewayAnswer {
  const headers = [
    ["Content-Type", "application/json"],
    ["x-amzn-ErrorType", type],
  ] as const;
  return { status, headers, body: Buffer.from(JSON.stringify({ message })) };
}

function write(response: ServerResponse, { status, headers, body }: GatewayAnswer): void {
  for (const [name, value] of headers) response.appendHeader(name, value);
  response.setHeader("x-amzn-RequestId", randomUUID());
  // A body where none may be (HEAD, 204, 304) is dropped by Node; its length is not promised then.
  if (body.length > 0 || ![204, 304].includes(status)) response.setHeader("Content-Length", body.length);
  response.writeHead(status).end(body);
}

function tokenBucket(throttle: GatewayOptions["throttle"]): () => boolean {
  if (throttle === null) return () => true;
  let tokens = throttle.burst;
  let at = performance.now();
  return () => {
    const now = performance.now();
    tokens = Math.min(throttle.burst, tokens + ((now - at) / 1000) * throttle.rate);
    at = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
