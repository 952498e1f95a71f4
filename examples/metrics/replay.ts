import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Platform, withPlatform } from "../platform.ts";

/**
 * Uploads the labelled series of the Numenta Anomaly Benchmark, one CSV file each, and compares the anomalies that are found
 * with the labelled windows. The series are read from EVENTPULSE_FIXTURES_DIR, else `../shared/fixtures` beside the project.
 */
const project = fileURLToPath(new URL("../..", import.meta.url));
const folder = resolve(project, process.env["EVENTPULSE_FIXTURES_DIR"] ?? "../shared/fixtures", "series", "nab");

interface Window {
  readonly from: number;
  readonly to: number;
}
interface Series {
  /** `realTraffic/speed_6005`. */
  readonly name: string;
  readonly csv: string;
  readonly points: number;
  readonly windows: readonly Window[];
}

await withPlatform(fileURLToPath(new URL("eventpulse.config.ts", import.meta.url)), async (platform) => {
  const all = readSeries();
  for (const series of all) await upload(platform, series);
  await platform.settled();
  const points = all.reduce((sum, series) => sum + series.points, 0);
  console.log(`Uploaded ${all.length} series, ${points.toLocaleString("en")} points.`);
  await report(platform, all);
});

function readSeries(): Series[] {
  const labels = JSON.parse(readFileSync(join(folder, "windows.json"), "utf8")) as Record<string, [string, string][]>;
  return Object.entries(labels).map(([file, windows]) => {
    const name = file.replace(/\.csv$/, "");
    const rows = readFileSync(join(folder, file), "utf8").trim().split(/\r?\n/).slice(1);
    const lines = rows.map((row) => {
      const [timestamp = "", value = ""] = row.split(",");
      return `${name},${instant(timestamp)},${value}`;
    });
    return {
      name,
      csv: `series,at,value\n${lines.join("\n")}\n`,
      points: rows.length,
      windows: windows.map(([from, to]) => ({ from: Date.parse(instant(from)), to: Date.parse(instant(to)) })),
    };
  });
}

/** `2015-07-10 14:24:00` is UTC. */
function instant(timestamp: string): string {
  return `${timestamp.slice(0, 19).replace(" ", "T")}Z`;
}

/** Asks for a signed link and puts the file there. */
async function upload(platform: Platform, { name, csv }: Series): Promise<void> {
  const file = { stream: "metrics", fileName: `${name}.csv`, contentType: "text/csv", bytes: Buffer.byteLength(csv) };
  const json = { "content-type": "application/json" };
  const answer = await platform.request("POST", "/v1/uploads", json, JSON.stringify(file));
  const link = (await answer.json()) as { method: string; url: string; headers: Record<string, string> };
  await platform.request(link.method, link.url, link.headers, csv);
}

interface Anomaly {
  readonly key: string;
  readonly time: string;
}

async function report(platform: Platform, all: readonly Series[]): Promise<void> {
  const found = new Map(all.map(({ name }) => [name, [] as number[]]));
  for await (const { key, time } of platform.rows<Anomaly>("/v1/anomalies?stream=metrics&limit=1000")) {
    found.get(key)?.push(Date.parse(time));
  }
  const line = (name: string, ...columns: (string | number)[]) =>
    console.log(name.padEnd(48) + columns.map((column) => String(column).padStart(16)).join(""));
  line("series", "windows found", "inside", "outside");
  const total = { windows: 0, hit: 0, inside: 0, outside: 0 };
  for (const { name, windows } of all) {
    const times = found.get(name) ?? [];
    const within = (time: number) => windows.findIndex(({ from, to }) => time >= from && time <= to);
    const inside = times.map(within).filter((index) => index >= 0);
    const hit = new Set(inside).size;
    line(name, `${hit} of ${windows.length}`, inside.length, times.length - inside.length);
    total.windows += windows.length;
    total.hit += hit;
    total.inside += inside.length;
    total.outside += times.length - inside.length;
  }
  line("all", `${total.hit} of ${total.windows}`, total.inside, total.outside);
}
