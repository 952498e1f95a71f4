import { runLoad } from "../load/run-load.ts";
import { sqliteInsertRate } from "../load/sqlite-baseline.ts";
import { startServer } from "../server.ts";
import { median, type Row } from "../table.ts";

const events = 1_000_000;
const streams = [
  { stream: "readings", figure: "sustained into records, ids assigned", target: "50,000/s" },
  { stream: "transformed", figure: "sustained into records, with a transform", target: "50,000/s" },
  { stream: "keyed", figure: "sustained into records, ids of the client (each looked up)", target: "50,000/s" },
] as const;

/** From the first request until the last of a million events can be queried, beside a bare SQLite insert loop. */
export async function sustained(runs: number): Promise<readonly Row[]> {
  const bare = median(Array.from({ length: runs }, () => sqliteInsertRate(500_000)));
  const rows: Row[] = [];
  const memory: number[] = [];
  for (const { stream, figure, target } of streams) {
    const rates: number[] = [];
    for (let run = 0; run < runs; run++) {
      const server = await startServer();
      const from = performance.now();
      const path = `/v1/streams/${stream}/events`;
      await runLoad({
        port: server.port,
        path,
        connections: 8,
        batch: 500,
        warmupSeconds: 0,
        seconds: 120,
        eventsMax: events,
      });
      memory.push(await server.residentMegabytes());
      await server.settle();
      rates.push((await server.stored(stream)) / ((performance.now() - from) / 1000));
      await server.close();
    }
    rows.push({
      figure,
      value: median(rates),
      unit: "/s",
      target,
      baseline: { name: "bare SQLite inserts", value: bare },
    });
  }
  rows.push({ figure: "memory at the peak", value: Math.max(...memory), unit: "MB", target: "", baseline: null });
  return rows;
}
