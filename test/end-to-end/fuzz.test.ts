/** Seeded: `EVENTPULSE_SEED` repeats a run, `EVENTPULSE_FUZZ_REQUESTS` makes a longer one. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { errorCodes } from "../../src/model/error.ts";
import { seededRandom } from "../faults/random.ts";
import { type HostileServer, startHostileServer } from "./hostile-server.ts";
import { rawExchange } from "./raw-exchange.ts";
import type { FailureRow } from "./running.ts";

const config = `
import { anomaly, defineConfig, stream } from "eventpulse";
import { z } from "zod";

const item = z.object({ name: z.string().max(20), price: z.number().nonnegative() });
const schema = z.object({ id: z.string(), total: z.number(), at: z.iso.datetime().optional(), items: z.array(item).optional() });
const orders = stream({ schema, key: "id", transform: ({ items = [], ...order }) => [order, ...items.map((one) => ({ ...order, ...one }))] });
const loose = stream({ schema: z.looseObject({}) });
const high = anomaly(orders, { value: "total", detect: { mad: { window: 20, warmup: 5 } } });
export default defineConfig({ name: "fuzz", streams: { orders, loose }, anomalies: { high } });
`;

const requests = Number(process.env["EVENTPULSE_FUZZ_REQUESTS"] ?? 2_000);
const seed = Number(process.env["EVENTPULSE_SEED"] ?? Date.now() % 2 ** 31);
const connections = 8;
const growthMegabytesMax = 200;

const order = { id: "o-1", total: 18.5, at: "2026-01-31T12:00:00Z", items: [{ name: "tea", price: 3 }] };
const cloudEvent = {
  specversion: "1.0",
  id: "1",
  source: "/shop",
  type: "t",
  time: "2026-01-31T12:00:00Z",
  data: order,
};
const lines = `${JSON.stringify(order)}\n${JSON.stringify({ ...order, id: "o-2" })}\n`;

type Template = readonly [line: string, headers: string, body: Uint8Array];
const template = (line: string, headers: string, body: string | Uint8Array = ""): Template => [
  line,
  headers,
  Buffer.from(body),
];
const templates: readonly Template[] = [
  template("POST /v1/streams/orders/events", "Content-Type: application/json\r\n", JSON.stringify(order)),
  template(
    "POST /v1/streams/orders/events",
    "Content-Type: application/json\r\n",
    JSON.stringify([order, order, { ...order, total: 9e9 }]),
  ),
  template("POST /v1/streams/loose/events", "Content-Type: application/x-ndjson\r\nIdempotency-Key: k1\r\n", lines),
  template("POST /v1/streams/orders/events?dryRun=true", "Content-Type: application/x-ndjson\r\n", lines),
  template(
    "POST /v1/streams/orders/events",
    "Content-Type: application/cloudevents+json\r\n",
    JSON.stringify(cloudEvent),
  ),
  template(
    "POST /v1/streams/loose/events",
    "Content-Type: application/cloudevents-batch+json\r\n",
    JSON.stringify([cloudEvent, cloudEvent]),
  ),
  template(
    "POST /v1/streams/loose/events",
    "ce-specversion: 1.0\r\nce-id: 7\r\nce-source: /a\r\nce-type: t\r\nce-subject: %41\r\n",
    JSON.stringify(order),
  ),
  template("POST /v1/streams/loose/events", "Content-Encoding: gzip\r\n", gzipSync(lines.repeat(20))),
  template("POST /v1/streams/loose/events", "Content-Encoding: zstd\r\n", zstdCompressSync(lines.repeat(20))),
  template(
    "GET /v1/streams/orders/records?limit=5&order=asc&from=2026-01-01T00:00:00Z&where[total][gte]=1",
    "Accept: text/csv\r\n",
  ),
  template("GET /v1/streams/orders/records?limit=2&cursor=eyJrIjoicmVjb3JkcyJ9", "Accept: application/x-ndjson\r\n"),
  template("GET /v1/streams/orders/series?field=total&points=7&from=2026-01-31T00:00:00Z&to=2026-02-01T00:00:00Z", ""),
  template("GET /v1/failures?stream=orders&state=quarantined&limit=3", ""),
  template("GET /v1/failures/fail_019c13d0a7b24e6f8a51c0de/payload", ""),
  template("POST /v1/failures/fail_019c13d0a7b24e6f8a51c0de/retry", 'If-Match: "1"\r\n'),
  template("GET /v1/anomalies?rule=high&state=open", 'If-None-Match: W/"x", *\r\n'),
  template(
    "PATCH /v1/anomalies/anom_5f0c2b9e1a7d4c38",
    "Content-Type: application/json\r\n",
    '{"state":"acknowledged","note":null}',
  ),
  template(
    "POST /v1/uploads",
    "Content-Type: application/json\r\n",
    '{"stream":"orders","fileName":"a","contentType":"text/csv","bytes":20}',
  ),
  template("GET /v1/uploads/upl_20260131_orders_5f0c2b9e1a7d4c3890ab12cd", ""),
  template("GET /v1/streams/orders", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"),
  template("GET /v1/balance", "Origin: http://localhost\r\n"),
  template("GET /metrics", ""),
  template("OPTIONS /v1/notifications", ""),
];

/** Bytes that mean something to one of the readers. */
const tokens = [
  "\0",
  "\r\n",
  "\n",
  '"',
  "\\",
  "{",
  "[[[[",
  "]",
  "}",
  ",",
  ":",
  "%",
  "%00",
  "%ff",
  "?",
  "&",
  "#",
  "//",
  "..",
  "1e999",
  "-0",
  "9".repeat(30),
  "null",
  "__proto__",
  "\\ud800",
  "\u2028",
  "é",
  "\xff\xfe",
  "where[",
  "][eq]=",
  "ce-id: ",
  "*/*;q=",
  "x".repeat(5_000),
];

/** JSON that is unexpected where it stands, and some that is none. */
const values = [
  ...[
    "null",
    "true",
    "-1",
    "0.1",
    "1e400",
    "9007199254740993",
    "1E3",
    "[]",
    "{}",
    "[[[]]]",
    '{"__proto__":1}',
    "NaN",
    "'x'",
  ],
  ...[
    '""',
    '"\\ud800"',
    '"\\u0000"',
    '"__proto__"',
    '"2026-02-30T00:00:00Z"',
    `"${"x".repeat(3_000)}"`,
    '"\\u2028"',
    "{".repeat(70),
  ],
];

describe("fuzzing", { concurrency: false }, () => {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  let server: HostileServer;
  before(async () => {
    console.error(`fuzz: EVENTPULSE_SEED=${seed} EVENTPULSE_FUZZ_REQUESTS=${requests}`);
    server = await startHostileServer(config, 5);
  });
  after(() => server.close());

  const mutate = (bytes: Uint8Array): Buffer => {
    let mutated = Buffer.from(bytes);
    for (let times = 1 + below(3); times > 0; times--) {
      const at = below(mutated.length + 1);
      const [head, tail] = [mutated.subarray(0, at), mutated.subarray(at)];
      const length = below(Math.min(64, tail.length) + 1);
      switch (below(6)) {
        case 0:
          mutated = Buffer.concat([head, Buffer.from(pick(tokens), "latin1"), tail]);
          break;
        case 1:
          mutated = Buffer.concat([head, tail.subarray(length)]);
          break;
        case 2:
          mutated = Buffer.concat([head, tail.subarray(0, length), tail]);
          break;
        case 3:
          mutated = Buffer.from(head);
          break;
        default:
          if (at < mutated.length) mutated[at] = below(256);
      }
    }
    return mutated;
  };

  /** One scalar or key of a JSON text becomes something else, which is mostly JSON too. */
  const mutateJson = (bytes: Uint8Array): Buffer => {
    const text = Buffer.from(bytes).toString("latin1");
    const scalars = [...text.matchAll(/"[^"]*"|\b\d+(?:\.\d+)?\b/g)];
    if (scalars.length === 0) return mutate(bytes);
    const { index, 0: scalar } = pick(scalars);
    return Buffer.from(text.slice(0, index) + pick(values) + text.slice(index + scalar.length), "latin1");
  };

  const mutateQuery = (line: string): string => {
    const parts = line.split(/(?<=[=/])/);
    const at = 1 + below(parts.length - 1);
    return [...parts.slice(0, at), encodeURIComponent(pick(tokens)), ...parts.slice(at + below(2))].join("");
  };

  const request = (): Buffer => {
    if (random() < 0.04) return Buffer.from(Array.from({ length: 1 + below(300) }, () => below(256)));
    const [line, headers, body] = pick(templates);
    const draw = random();
    const changed = draw < 0.4 ? mutateJson(body) : draw < 0.6 ? mutate(body) : body;
    const target = draw >= 0.6 && draw < 0.85 ? mutateQuery(line) : line;
    const head = Buffer.from(`${target} HTTP/1.1\r\nHost: localhost\r\n`);
    // Mostly right lengths, so that the readers behind them are reached.
    const length = random() < 0.97 ? changed.length : below(2 * changed.length + 2);
    const frame = changed.length > 0 ? `Content-Length: ${length}\r\n` : "";
    const fields = Buffer.from(`${headers}${frame}Connection: close\r\n`);
    const parts = [head, draw >= 0.85 && draw < 0.93 ? mutate(fields) : fields, Buffer.from("\r\n"), changed];
    return draw >= 0.93 ? mutate(Buffer.concat(parts)) : Buffer.concat(parts);
  };

  test(`${requests} mutated requests and junk: every refusal is a problem with a known code, and nothing is a 5xx`, async (t) => {
    const seen = new Map<string, number>();
    let made = 0;
    const client = async () => {
      while (made < requests) {
        const number = made++;
        const bytes = request();
        // What was cut short is ended a moment later; an answer comes sooner.
        const options = { halfClose: true, pauseMillis: 100, millisMax: 3_000 };
        const { answers } = await rawExchange(server.port, [bytes], options);
        for (const { status, headers, body } of answers) {
          server.saw(status);
          const text = `request ${number}: ${JSON.stringify(bytes.toString("latin1"))} → ${status} ${body.slice(0, 300)}`;
          assert.ok(status < 500, text);
          const problem = headers["content-type"] === "application/problem+json";
          if (status >= 400 && body !== "") assert.ok(problem, text);
          const code = problem ? (JSON.parse(body) as { code: string }).code : "";
          if (problem && body !== "") assert.ok(code in errorCodes, text);
          seen.set(`${status} ${code}`, (seen.get(`${status} ${code}`) ?? 0) + 1);
        }
      }
    };
    await Promise.all(Array.from({ length: connections }, client));
    t.diagnostic(
      [...seen]
        .sort()
        .map(([answer, count]) => `${answer.trim()}: ${count}`)
        .join(", "),
    );
    // Both sides of the doors were reached.
    assert.ok((seen.get("202 ") ?? 0) > requests / 50 && seen.size > 10, JSON.stringify([...seen]));
  });

  test("afterwards the server is ready, its books are balanced, and it has not grown", async () => {
    await server.survived(growthMegabytesMax);
    for (const stream of ["orders", "loose"]) await server.balance(stream);
    assert.deepEqual(await server.list<FailureRow>("/v1/failures?code=INTERNAL"), []);
    assert.deepEqual(await server.list<FailureRow>("/v1/failures?class=bug"), []);
  });
});
