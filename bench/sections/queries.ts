import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLoad } from "../load/run-load.ts";
import { startServer } from "../server.ts";
import type { Row } from "../table.ts";

const queriesPerSize = 500;

/** 100 records from a random moment on, over so many records: through HTTP, one request at a time. */
export async function queries(sizes: readonly number[]): Promise<readonly Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "eventpulse-bench-"));
  const rows: Row[] = [];
  try {
    const server = await startServer(directory);
    const from = Date.now();
    for (const [index, size] of sizes.entries()) {
      const missing = size - (await server.stored("readings"));
      const path = "/v1/streams/readings/events";
      await runLoad({
        port: server.port,
        path,
        connections: 8,
        batch: 1000,
        warmupSeconds: 0,
        seconds: 600,
        eventsMax: missing,
        prefix: `6${index}`,
      });
      await server.settle();
      const millis = await measure(server.url, from, Date.now());
      const figure = `query of 100 records over ${size.toLocaleString("en-US")}`;
      rows.push({
        figure: `${figure}, p50`,
        value: millis[Math.floor(millis.length / 2)] ?? Number.NaN,
        unit: "ms",
        target: "",
        baseline: null,
      });
      rows.push({
        figure: `${figure}, p99`,
        value: millis[Math.floor(millis.length * 0.99)] ?? Number.NaN,
        unit: "ms",
        target: "10 ms",
        baseline: null,
      });
    }
    await server.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return rows;
}

async function measure(url: string, from: number, to: number): Promise<number[]> {
  const millis: number[] = [];
  for (let query = 0; query < queriesPerSize + 20; query++) {
    const moment = new Date(from + Math.random() * (to - from)).toISOString();
    const started = performance.now();
    const response = await fetch(`${url}/v1/streams/readings/records?from=${moment}&limit=100`);
    await response.text();
    if (response.status !== 200) throw new Error(`query: ${response.status}`);
    // The first ones warm up the code.
    if (query >= 20) millis.push(performance.now() - started);
  }
  return millis.sort((a, b) => a - b);
}
