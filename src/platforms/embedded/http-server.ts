import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { RequestEnvironment } from "../../http/services.ts";
import { type ErrorCode, errorCodes } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import { RequestBodies } from "./request-bodies.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly fetch: (request: Request, environment: RequestEnvironment) => Response | Promise<Response>;
  readonly requestTimeoutSeconds?: number;
}

export interface HttpServer {
  readonly port: number;
  /** Takes no new connections, waits for the answers under way for up to `graceMillis`, then cuts what is left. */
  close(graceMillis: number): Promise<void>;
}

/** Translates between node:http and the app, and nothing else. Throws when the port is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const bodies = new RequestBodies();
  const listener = getRequestListener(
    async (request, bindings) => {
      const { incoming } = bindings as { incoming: IncomingMessage };
      let body: Uint8Array | null = null;
      const environment: RequestEnvironment = {
        async readBody(bytesMax) {
          body = await bodies.read(incoming, bytesMax);
          return body;
        },
      };
      try {
        return await options.fetch(request, environment);
      } finally {
        if (body !== null) bodies.release(body);
        // A body that was refused half-way still arrives: take it off the line, so that the client can read its answer.
        else incoming.resume();
      }
    },
    // Only requests whose address makes no URL (no Host, "//evil", "OPTIONS *") end here: the app itself never rejects.
    { overrideGlobalObjects: false, errorHandler: () => problemResponse("REQUEST_MALFORMED") },
  );
  const answering = new WeakMap<Socket, ServerResponse>();
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { socket } = incoming;
    answering.set(socket, outgoing);
    outgoing.once("finish", () => answering.delete(socket));
    void listener(incoming, outgoing);
  };
  const server = createServer(
    {
      requestTimeout: (options.requestTimeoutSeconds ?? limits.requestTimeoutSeconds) * 1000,
      headersTimeout: (options.requestTimeoutSeconds ?? limits.requestTimeoutSeconds) * 1000,
      keepAliveTimeout: 65_000,
      // How often the two timeouts above are looked at; the default of 30 s would double them.
      connectionsCheckingInterval: 1000,
      // Answered below, in the form of every other problem.
      requireHostHeader: false,
    },
    answer,
  );
  // RFC 9110, section 10.1.1: what a client expects besides "100-continue" may be ignored; node would refuse it without a problem.
  server.on("checkExpectation", answer);
  server.on("clientError", (error, socket) => {
    // In the middle of an answer there is no place for another one.
    if (answering.get(socket as Socket)?.headersSent) socket.destroy();
    else answerClientError(error, socket as Socket);
  });
  server.on("connect", (_, socket) => answerProblem(socket as Socket, "METHOD_NOT_ALLOWED"));
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMillis) => close(server, graceMillis),
  };
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server, graceMillis: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMillis);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Codes of node's HTTP parser that say more than "no HTTP". */
const clientErrorCodes: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "BODY_TOO_SLOW",
  HPE_HEADER_OVERFLOW: "HEADERS_TOO_LARGE",
  // The client ended its side before the length or the last chunk that it had announced.
  HPE_INVALID_EOF_STATE: "BODY_TRUNCATED",
};

/** What is no HTTP, or too slow, never reaches the app; it is answered in the same form. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") socket.destroy();
  else answerProblem(socket, clientErrorCodes[error.code ?? ""] ?? "REQUEST_MALFORMED");
}

function answerProblem(socket: Socket, code: ErrorCode): void {
  const { status, headers, body } = problem(code);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${errorCodes[code].title}\r\n${lines.join("")}Connection: close\r\n\r\n${body}`);
}

function problemResponse(code: ErrorCode): Response {
  const { status, headers, body } = problem(code);
  return new Response(body, { status, headers });
}

function problem(code: ErrorCode) {
  const { status, title } = errorCodes[code];
  const requestId = `req_${randomUUID()}`;
  const body = JSON.stringify({
    type: `/problems/${code}`,
    title,
    status,
    detail: `${title}.`,
    code,
    requestId,
    errors: [],
  });
  const headers = {
    "content-type": "application/problem+json",
    "content-length": String(Buffer.byteLength(body)),
    "x-request-id": requestId,
  };
  return { status, headers, body };
}
