import { runLoad } from "../load/run-load.ts";
import { type BenchServer, startServer } from "../server.ts";
import { median, type Row } from "../table.ts";

const batch = 100;
const connections = 32;

/**
 * At half of the rate that the whole pipeline sustained just before, open loop: how long an acknowledgement takes from the
 * moment its request was due, and how long until an event can be queried.
 */
export async function halfOfPeak(runs: number): Promise<readonly Row[]> {
  const [p50, p99, queryable, memory, rates]: number[][] = [[], [], [], [], []];
  let idle = 0;
  for (let run = 0; run < runs; run++) {
    const server = await startServer();
    idle = await server.residentMegabytes();
    const path = "/v1/streams/readings/events";
    const from = performance.now();
    await runLoad({ port: server.port, path, connections, batch, warmupSeconds: 0, seconds: 60, eventsMax: 300_000 });
    await server.settle();
    const rate = Math.round(300_000 / ((performance.now() - from) / 1000) / 2);
    const probes = probeQueryable(server, 8_000);
    const result = await runLoad({
      port: server.port,
      path,
      connections,
      batch,
      seconds: 8,
      eventsPerSecond: rate,
      prefix: "50",
    });
    rates?.push(rate);
    p50?.push(result.p50Millis);
    p99?.push(result.p99Millis);
    memory?.push(await server.residentMegabytes());
    const seen = (await probes).sort((a, b) => a - b);
    queryable?.push(seen[Math.floor(seen.length * 0.99)] ?? Number.NaN);
    await server.close();
  }
  const at = `at ${Math.round(median(rates ?? [])).toLocaleString("en-US")} events/s, open loop`;
  const row = (figure: string, values: readonly number[] | undefined, unit: string, target: string): Row => ({
    figure,
    value: median(values ?? []),
    unit,
    target,
    baseline: null,
  });
  return [
    row(`acknowledgement p50 ${at}`, p50, "ms", ""),
    row(`acknowledgement p99 ${at}`, p99, "ms", "20 ms"),
    row(`accepted to queryable p99 ${at}`, queryable, "ms", "1,000 ms"),
    row(`memory ${at}`, memory, "MB", "200 MB"),
    row("memory when idle", [idle], "MB", ""),
  ];
}

/** Sends one event of the keyed stream after the other and asks for it until it is there. Milliseconds each. */
async function probeQueryable(server: BenchServer, forMillis: number): Promise<number[]> {
  const millis: number[] = [];
  const body = {
    at: new Date().toISOString(),
    device: "probe",
    temperature: 1,
    humidity: 1,
    pressure: 1,
    battery: 1,
    firmware: "1",
    site: { name: "", building: "", floor: 1, zone: "" },
    tags: [],
    note: "",
  };
  for (const end = performance.now() + forMillis; performance.now() < end; ) {
    const id = `probe-${millis.length}`;
    await fetch(`${server.url}/v1/streams/keyed/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id, ...body }),
    });
    const accepted = performance.now();
    for (;;) {
      const response = await fetch(`${server.url}/v1/streams/keyed/records/${id}`);
      await response.arrayBuffer();
      if (response.status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    millis.push(performance.now() - accepted);
  }
  return millis;
}
