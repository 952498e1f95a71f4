import { Agent } from "node:http";
import { Readable } from "node:stream";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { InjectedFaults } from "./injected-faults.ts";

type Handle = NodeHttpHandler["handle"];
type HttpRequest = Parameters<Handle>[0];
type HttpAnswer = Awaited<ReturnType<Handle>>;

const namespace = "com.amazonaws.dynamodb.v20120810";

/** One connection pool for all clients of a test: each invocation has its own. */
export const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** A transaction as DynamoDB took it: keys and JSON texts of the items that it put. */
export interface TakenTransaction {
  /** The same when the SDK sends it again. */
  readonly token: string;
  readonly puts: readonly { readonly pk: string; readonly sk: string; readonly json: string }[];
}

/** The last call before the wire: where DynamoDB throttles, answers for a part only, or its answer is lost. */
export class FaultyRequests extends NodeHttpHandler {
  /** Of the call that runs now. */
  readonly #faults: () => InjectedFaults;
  readonly #taken: (transaction: TakenTransaction) => void;

  constructor(faults: () => InjectedFaults, taken: (transaction: TakenTransaction) => void) {
    super({ httpAgent: agent, requestTimeout: 20_000 });
    this.#faults = faults;
    this.#taken = taken;
  }

  override async handle(request: HttpRequest, options?: Parameters<Handle>[1]): Promise<HttpAnswer> {
    const operation = request.headers["x-amz-target"]?.split(".").at(-1) ?? "";
    const faults = this.#faults();
    const fault = faults.ofCall(operation);
    if (fault === "throttled") return throttled(operation);
    const answer =
      operation === "BatchWriteItem"
        ? await this.#batchWrite(request, options, faults)
        : await super.handle(request, options);
    if (operation === "TransactWriteItems" && answer.response.statusCode === 200) {
      this.#taken(transactionOf(textOf(request.body)));
    }
    // Also what was under way when the invocation was cut off has taken effect, and nobody hears of it.
    if (fault === "lost" || faults.isCut) {
      answer.response.body?.resume?.();
      throw faults.lostAnswer();
    }
    return answer;
  }

  /** Keeps some writes back from the real call, and names them as unprocessed. */
  async #batchWrite(request: HttpRequest, options: Parameters<Handle>[1], faults: InjectedFaults): Promise<HttpAnswer> {
    const body = JSON.parse(textOf(request.body)) as { RequestItems: Record<string, unknown[]> };
    const [table = "", writes = []] = Object.entries(body.RequestItems)[0] ?? [];
    const kept = faults.keptBack(writes);
    if (kept.length === 0) return super.handle(request, options);
    const rest = writes.filter((write) => !kept.includes(write));
    const unprocessed = { UnprocessedItems: { [table]: kept } };
    if (rest.length === 0) return jsonAnswer(200, unprocessed);
    const text = JSON.stringify({ ...body, RequestItems: { [table]: rest } });
    const headers = { ...request.headers, "content-length": String(Buffer.byteLength(text)) };
    // A copy: when the answer is lost, the SDK sends the whole batch again.
    const answer = await super.handle(Object.assign(request.clone(), { body: text, headers }), options);
    if (answer.response.statusCode !== 200) return answer;
    answer.response.body?.resume?.();
    return jsonAnswer(200, unprocessed);
  }
}

function textOf(body: unknown): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body as Uint8Array);
}

function throttled(operation: string): HttpAnswer {
  const message = "Injected: too many requests.";
  if (operation !== "TransactWriteItems") {
    return jsonAnswer(400, { __type: `${namespace}#ProvisionedThroughputExceededException`, message });
  }
  const CancellationReasons = [{ Code: "ThrottlingError", Message: message }];
  return jsonAnswer(400, { __type: `${namespace}#TransactionCanceledException`, message, CancellationReasons });
}

function jsonAnswer(statusCode: number, value: unknown): HttpAnswer {
  const headers = { "content-type": "application/x-amz-json-1.0" };
  const response = { statusCode, headers, body: Readable.from([Buffer.from(JSON.stringify(value))]) };
  return { response } as HttpAnswer;
}

interface WireItem {
  readonly pk: { readonly S: string };
  readonly sk: { readonly S: string };
  readonly j?: { readonly S: string };
}

function transactionOf(body: string): TakenTransaction {
  const { ClientRequestToken: token, TransactItems: items } = JSON.parse(body) as {
    ClientRequestToken: string;
    TransactItems: readonly { readonly Put?: { readonly Item: WireItem } }[];
  };
  return {
    token,
    puts: items.flatMap(({ Put: put }) =>
      put === undefined ? [] : [{ pk: put.Item.pk.S, sk: put.Item.sk.S, json: put.Item.j?.S ?? "null" }],
    ),
  };
}
