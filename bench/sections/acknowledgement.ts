import { runLoad } from "../load/run-load.ts";
import { startBareHttp, startServer } from "../server.ts";
import { median, type Row } from "../table.ts";

const shapes = [
  { batch: 1000, connections: 8, target: "" },
  { batch: 100, connections: 32, target: "100,000/s" },
  { batch: 1, connections: 64, target: "10,000/s" },
] as const;

/** Events acknowledged after the flush, closed loop, beside a bare HTTP server under the same load. */
export async function acknowledgement(runs: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { batch, connections, target } of shapes) {
    const [ours, bare]: [number[], number[]] = [[], []];
    for (let run = 0; run < runs; run++) {
      const server = await startServer();
      const path = "/v1/streams/readings/events";
      const result = await runLoad({ port: server.port, path, connections, batch });
      ours.push(result.eventsPerSecond);
      await server.settle();
      await server.close();
      const baseline = await startBareHttp();
      bare.push((await runLoad({ port: baseline.port, path, connections, batch, seconds: 2 })).eventsPerSecond);
      await baseline.close();
    }
    const figure =
      batch === 1
        ? `single-event requests acknowledged, ${connections} connections`
        : `events acknowledged, batches of ${batch}, ${connections} connections`;
    rows.push({
      figure,
      value: median(ours),
      unit: "/s",
      target,
      baseline: { name: "bare node:http", value: median(bare) },
    });
  }
  return rows;
}
