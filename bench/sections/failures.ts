import { type BenchServer, startServer } from "../server.ts";
import { median, type Row } from "../table.ts";

const count = 100_000;
const batch = 1_000;
const listings = 50;
const stream = "mendable";
const ways = [{ value: "7" }, { value: 7, unit: "furlong" }, { value: null }];
/** Mends all three ways to break the contract. */
const recipe = {
  description: "Bench.",
  steps: [
    { do: "default", path: "/value", value: 0 },
    { do: "cast", path: "/value", to: "number" },
    { do: "set", path: "/unit", value: "metre" },
  ],
};

interface Job {
  readonly id: string;
  readonly state: string;
  readonly results: Readonly<Record<string, number>>;
}

/**
 * 100,000 failures with three causes: listed by cause, planned, tried and replayed, beside the processing of as many good
 * events of the same stream and the same size in the same run.
 */
export async function failures(runs: number): Promise<readonly Row[]> {
  const measured = { normal: [] as number[], listing: [] as number[], plan: [] as number[], dryRun: [] as number[] };
  const replays = { rate: [] as number[], before: [] as number[], peak: [] as number[] };
  for (let run = 0; run < runs; run++) {
    const server = await startServer();
    measured.normal.push(await processed(server, "good", () => ({ value: 7 })));
    await processed(server, "bad", (index) => ways[index % ways.length] ?? {});
    measured.listing.push(median(await listingMillis(server.url)));
    measured.plan.push(await planMillis(server.url));
    measured.dryRun.push(await jobRate(server, "dry-run", []));
    const memory: number[] = [await server.residentMegabytes()];
    replays.before.push(memory[0] ?? Number.NaN);
    replays.rate.push(await jobRate(server, "run", memory));
    replays.peak.push(Math.max(...memory));
    await server.close();
  }
  const normal = { name: "normal processing", value: median(measured.normal) };
  const row = (
    figure: string,
    values: readonly number[],
    unit: string,
    target = "",
    baseline: Row["baseline"] = null,
  ) => ({
    figure,
    value: median(values),
    unit,
    target,
    baseline,
  });
  return [
    row("100,000 failures listed by cause, p50", measured.listing, "ms", "100 ms"),
    row("100,000 failures planned", measured.plan, "ms", "2,000 ms"),
    row("100,000 failures tried without a write", measured.dryRun, "/s", "", normal),
    row("100,000 failures mended and replayed", replays.rate, "/s", "0.5 of normal", normal),
    row("memory before the replay", replays.before, "MB"),
    row("memory at the peak of the replay", replays.peak, "MB"),
  ];
}

/** Sends events and waits for the last of them; answers with events a second. */
async function processed(server: BenchServer, prefix: string, change: (index: number) => object): Promise<number> {
  const from = performance.now();
  for (let first = 0; first < count; first += batch) {
    const lines = Array.from({ length: batch }, (_, offset) => {
      const index = first + offset;
      return JSON.stringify({ id: `${prefix}-${index}`, unit: "metre", note: "n".repeat(250), ...change(index) });
    });
    const response = await fetch(`${server.url}/v1/streams/${stream}/events`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: lines.join("\n"),
    });
    if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }
  await server.settle();
  return count / ((performance.now() - from) / 1000);
}

async function listingMillis(url: string): Promise<number[]> {
  const millis: number[] = [];
  for (let time = 0; time < listings; time++) {
    const from = performance.now();
    const answer = (await (await fetch(`${url}/v1/issues?stream=${stream}`)).json()) as { data: { waiting: number }[] };
    millis.push(performance.now() - from);
    const waiting = answer.data.reduce((sum, issue) => sum + issue.waiting, 0);
    if (waiting !== count) throw new Error(`${waiting} failures are listed instead of ${count}`);
  }
  return millis;
}

async function planMillis(url: string): Promise<number> {
  const from = performance.now();
  const plan = (await post(url, "plan")) as unknown as { items: number };
  if (plan.items !== count) throw new Error(`the plan counts ${plan.items}`);
  return performance.now() - from;
}

async function jobRate(server: BenchServer, mode: string, memory: number[]): Promise<number> {
  const from = performance.now();
  let job = await post(server.url, mode);
  while (job.state !== "done") {
    await new Promise((resolve) => setTimeout(resolve, 50));
    job = (await (await fetch(`${server.url}/v1/jobs/${job.id}`)).json()) as Job;
    memory.push(await server.residentMegabytes());
  }
  if (job.results["recovered"] !== count) throw new Error(`not all are recovered: ${JSON.stringify(job.results)}`);
  return count / ((performance.now() - from) / 1000);
}

async function post(url: string, mode: string): Promise<Job> {
  const response = await fetch(`${url}/v1/replays`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      select: { filter: { stream, state: "quarantined" } },
      mode,
      ...(mode === "plan" ? {} : { recipe }),
    }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Job;
}
