import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { awsCalls, serviceOf } from "./aws-call.ts";

export interface ProxyOptions {
  /** Where requests go, by service. */
  readonly upstream: { readonly dynamodb: string; readonly other: string };
}

export interface RecordingProxy {
  readonly url: string;
  /** Mails that SES took, as RFC 5322 text, oldest first. */
  readonly mails: readonly string[];
  /** Action → the resources it was called on, and how often, from the start of the proxy. */
  readonly calls: ReadonlyMap<string, ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** Stands between one function and AWS: passes everything on as it is, and notes what was called. */
export async function startRecordingProxy({ upstream }: ProxyOptions): Promise<RecordingProxy> {
  const calls = new Map<string, Map<string, number>>();
  const mails: string[] = [];
  const server = createServer((request, response) => {
    void pass(request, response).catch(() => response.destroy());
  });
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray());
    const [method, target] = [request.method ?? "GET", request.url ?? "/"];
    const headers = request.headers as Record<string, string | undefined>;
    for (const { action, resource } of awsCalls({ method, target, headers, body: body.toString() })) {
      const resources = calls.get(action) ?? new Map<string, number>();
      calls.set(action, resources.set(resource, (resources.get(resource) ?? 0) + 1));
    }
    const base = serviceOf(headers) === "dynamodb" ? upstream.dynamodb : upstream.other;
    // The headers as they came, the host with them: it is part of what was signed and of the links that are made.
    const passed = httpRequest(base + target, { method, headers: request.rawHeaders });
    passed.end(body);
    const [answer] = (await once(passed, "response")) as [IncomingMessage];
    if (target.startsWith("/v2/email/outbound-emails") && answer.statusCode === 200) mails.push(mailOf(body));
    response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
    answer.pipe(response);
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A frozen function may find its connection open again after minutes.
  server.keepAliveTimeout = 0;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    mails,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function mailOf(body: Buffer): string {
  const { Content } = JSON.parse(body.toString()) as { Content?: { Raw?: { Data?: string } } };
  return Buffer.from(Content?.Raw?.Data ?? "", "base64").toString();
}
