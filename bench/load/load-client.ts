/**
 * Sends events over plain sockets, in a process of its own: `load-client.ts '{"port":…}'`. Closed loop: each connection
 * sends the next request when it has its answer. Open loop (`eventsPerSecond`): requests are due at fixed times, whatever
 * the server does, and their latency counts from then. Prints a `LoadResult` as JSON.
 */
import { createConnection } from "node:net";
import { Answers } from "./answers.ts";
import { sampleBody } from "./sample-body.ts";

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly batch: number;
  readonly seconds: number;
  /** Not counted, before. */
  readonly warmupSeconds: number;
  /** Null: closed loop. */
  readonly eventsPerSecond: number | null;
  /** Stop after so many events instead. */
  readonly eventsMax: number | null;
  /** Two digits. */
  readonly prefix: string;
}

export interface LoadResult {
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly maxMillis: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

const options = JSON.parse(process.argv[2] ?? "{}") as LoadOptions;
const latencies: number[] = [];
const statuses: Record<string, number> = {};
let events = 0;
let sentEvents = 0;
let countFrom = Number.POSITIVE_INFINITY;
const startedAt = performance.now();
const endAt = startedAt + (options.warmupSeconds + options.seconds) * 1000;

await Promise.all(Array.from({ length: options.connections }, (_, index) => connection(index)));
const seconds = Math.max(0.001, (performance.now() - Math.min(countFrom, endAt)) / 1000);
latencies.sort((a, b) => a - b);
const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
const result: LoadResult = {
  events,
  seconds,
  eventsPerSecond: events / seconds,
  p50Millis: at(0.5),
  p99Millis: at(0.99),
  maxMillis: at(1),
  statuses,
};
console.log(JSON.stringify(result));

async function connection(index: number): Promise<void> {
  const socket = createConnection({ port: options.port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  const body = sampleBody(options.batch, options.prefix + String(index).padStart(2, "0"));
  const type = options.batch === 1 ? "application/json" : "application/x-ndjson";
  const head = Buffer.from(
    `POST ${options.path} HTTP/1.1\r\nHost: 127.0.0.1:${options.port}\r\nContent-Type: ${type}\r\nContent-Length: ${body.bytes.length}\r\n\r\n`,
  );
  const answers = new Answers(socket);
  const { eventsPerSecond, batch, connections } = options;
  const everyMillis = eventsPerSecond === null ? 0 : (1000 * batch * connections) / eventsPerSecond;
  let due = startedAt + (everyMillis * index) / connections;
  for (;;) {
    const now = performance.now();
    if (now >= endAt || (options.eventsMax !== null && sentEvents >= options.eventsMax)) break;
    if (everyMillis > 0 && due > now) await new Promise((resolve) => setTimeout(resolve, due - now));
    const from = everyMillis > 0 ? due : performance.now();
    due += everyMillis;
    sentEvents += batch;
    body.renew();
    // One buffer: two writes would be two packets, and the body is written over for the next request.
    socket.write(Buffer.concat([head, body.bytes]));
    const status = await answers.next();
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status !== "202") await new Promise((resolve) => setTimeout(resolve, 50));
    else count(from);
  }
  socket.destroy();
}

function count(from: number): void {
  const now = performance.now();
  if (now < startedAt + options.warmupSeconds * 1000) return;
  countFrom = Math.min(countFrom, now);
  events += options.batch;
  latencies.push(now - from);
}
