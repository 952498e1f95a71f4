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
  /** What DynamoDB says that the calls have consumed. */
  readonly units: { readonly read: number; readonly write: number };
  /** Refuses the next `times` calls whose action begins so, as a service does that takes no more right now. */
  refuse(action: string, times: number): Refusal;
  /** Ends every refusal. */
  admitAll(): void;
  close(): Promise<void>;
}

export interface Refusal {
  /** Calls that are still to be refused. */
  readonly left: number;
  /** What was to be called, in the order of the calls. */
  readonly refused: readonly string[];
}

/**
 * Stands between one function and AWS: passes everything on as it is, and notes what was called. DynamoDB is asked besides what
 * a call consumes.
 */
export async function startRecordingProxy({ upstream }: ProxyOptions): Promise<RecordingProxy> {
  const calls = new Map<string, Map<string, number>>();
  const mails: string[] = [];
  const units = { read: 0, write: 0 };
  let refusals: { readonly action: string; left: number; readonly refused: string[] }[] = [];
  const server = createServer((request, response) => {
    void pass(request, response).catch(() => response.destroy());
  });
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray());
    const [method, target] = [request.method ?? "GET", request.url ?? "/"];
    const headers = request.headers as Record<string, string | undefined>;
    const called = awsCalls({ method, target, headers, body: body.toString() });
    for (const { action, resource } of called) {
      const resources = calls.get(action) ?? new Map<string, number>();
      calls.set(action, resources.set(resource, (resources.get(resource) ?? 0) + 1));
    }
    const service = serviceOf(headers);
    for (const refusal of refusals) {
      const match = called.find(({ action }) => action.startsWith(refusal.action));
      if (match === undefined || refusal.left === 0) continue;
      refusal.left--;
      refusal.refused.push(match.resource);
      const { status, type, text } = refusalOf(service ?? "");
      response.writeHead(status, { "content-type": type }).end(text);
      return;
    }
    if (service === "dynamodb") {
      const { answer, read, write } = await passCounted(upstream.dynamodb + target, request, body);
      units.read += read;
      units.write += write;
      response.writeHead(answer.status, answer.rawHeaders).end(answer.body);
      return;
    }
    // The headers as they came, the host with them: it is part of what was signed and of the links that are made.
    const passed = httpRequest(upstream.other + target, { method, headers: request.rawHeaders });
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
    units,
    refuse(action, times) {
      const refusal = { action, left: times, refused: [] };
      refusals.push(refusal);
      return refusal;
    },
    admitAll() {
      refusals = [];
    },
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

/** How a service says that it is called too often. */
function refusalOf(service: string): { readonly status: number; readonly type: string; readonly text: string } {
  if (service === "s3") {
    const text = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    return { status: 503, type: "application/xml", text };
  }
  const name = service === "sqs" ? "com.amazonaws.sqs#RequestThrottled" : "ThrottlingException";
  const text = JSON.stringify({ __type: name, message: "Rate exceeded." });
  return { status: 400, type: "application/x-amz-json-1.0", text };
}

interface BatchGet {
  readonly RequestItems?: Readonly<Record<string, { readonly Keys?: readonly object[] }>>;
}
interface CapacityAnswer {
  readonly ConsumedCapacity?: { readonly CapacityUnits?: number } | readonly { readonly CapacityUnits?: number }[];
}

const readOperation = /\.(?:GetItem|BatchGetItem|Query)$/;

/** A call of DynamoDB, its answer, and the units that it names. A local one looks at no signature, so the call may be added to. */
async function passCounted(url: string, { method, headers, rawHeaders }: IncomingMessage, body: Buffer) {
  const asked = JSON.parse(body.toString()) as BatchGet;
  const input = JSON.stringify({ ...asked, ReturnConsumedCapacity: "TOTAL" });
  const length = rawHeaders.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === "content-length");
  const passed = httpRequest(url, { method, headers: rawHeaders.with(length + 1, String(Buffer.byteLength(input))) });
  passed.end(input);
  const [incoming] = (await once(passed, "response")) as [IncomingMessage];
  const output = Buffer.concat(await incoming.toArray());
  const answer = { status: incoming.statusCode ?? 500, rawHeaders: incoming.rawHeaders, body: output };
  const { ConsumedCapacity: consumed } = JSON.parse(output.toString()) as CapacityAnswer;
  const sum = [consumed ?? []].flat().reduce((total, { CapacityUnits = 0 }) => total + CapacityUnits, 0);
  if (!readOperation.test(String(headers["x-amz-target"]))) return { answer, read: 0, write: sum };
  // What is not there costs a unit as well, which the local one leaves out.
  const keys = Object.values(asked.RequestItems ?? { one: { Keys: [{}] } }).flatMap(({ Keys = [] }) => Keys);
  return { answer, read: Math.max(sum, keys.length), write: 0 };
}
