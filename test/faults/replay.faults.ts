/**
 * kill -9 in the middle of a replay, twice over: two jobs take the same failures at once. `EVENTPULSE_FAULT_FAILURES`
 * (default 100,000), `EVENTPULSE_FAULT_REPLAY_KILLS` (default 5), `EVENTPULSE_SEED`.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { seededRandom } from "./random.ts";
import { type Served, serve } from "./served.ts";
import { all, balance } from "./verdict.ts";

const failures = Number(process.env["EVENTPULSE_FAULT_FAILURES"] ?? 100_000);
const kills = Number(process.env["EVENTPULSE_FAULT_REPLAY_KILLS"] ?? 5);
const seed = Number(process.env["EVENTPULSE_SEED"] ?? Date.now() % 2 ** 31);
const batch = 1_000;

/** Values that are texts where numbers belong. */
const recipe = { description: "Texts to numbers.", steps: [{ do: "cast", path: "/value", to: "number" }] };

interface Job {
  readonly id: string;
  readonly state: string;
  readonly items: number;
  readonly results: Readonly<Record<string, number>>;
}

test(`${failures} failures are recovered once each by two replays at once, through ${kills} kill -9`, async () => {
  console.error(`replay: EVENTPULSE_SEED=${seed}`);
  const random = seededRandom(seed);
  const directory = mkdtempSync(join(tmpdir(), "eventpulse-replay-"));
  let server = serve(directory);
  try {
    let url = await started(server);
    for (let first = 0; first < failures; first += batch) await sendBroken(url, first);
    await eventually(async () => {
      const { quarantined, inFlight } = (await balance(url)).mendable;
      assert.deepEqual([quarantined, inFlight], [failures, 0]);
    });
    const jobs = [await replay(url), await replay(url)];
    for (let kill = 0; kill < kills; kill++) {
      await pause(random() * 1_500);
      await server.kill();
      server = serve(directory);
      url = await started(server);
    }
    const done = await eventually(async () => {
      const states = await Promise.all(jobs.map(({ id }) => get<Job>(`${url}/v1/jobs/${id}`)));
      // A step that was killed five times in a row pauses its job, and says so.
      for (const { id, state } of states) {
        if (state === "paused") await fetch(`${url}/v1/jobs/${id}/resume`, { method: "POST" });
      }
      assert.deepEqual(
        states.map(({ state }) => state),
        ["done", "done"],
      );
      return states;
    });
    const sum = (result: string) => done.reduce((total, { results }) => total + (results[result] ?? 0), 0);
    const frozen = done.reduce((total, { items }) => total + items, 0);
    assert.deepEqual([sum("recovered"), sum("skipped")], [failures, frozen - failures]);
    const { accepted, stored, dropped, quarantined, dead, inFlight } = (await balance(url)).mendable;
    assert.deepEqual([accepted, stored, dropped, quarantined, dead, inFlight], [failures, failures, 0, 0, 0, 0]);
    const records = await all(`${url}/v1/streams/mendable/records?`);
    assert.equal(new Set(records.map((row) => (row["data"] as { id: string }).id)).size, failures, "each event, once");
    assert.equal(records.length, failures, "no record is there twice");
    const waiting = await all(`${url}/v1/failures?stream=mendable&state=quarantined&`);
    assert.equal(waiting.length, 0);
    assert.equal(await server.terminate(), 0);
    console.error(`replay: ${JSON.stringify(done.map(({ results }) => results))}`);
  } finally {
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
});

async function started(server: Served): Promise<string> {
  const url = await server.url;
  assert.ok(url !== null, server.log());
  return url;
}

async function sendBroken(url: string, first: number): Promise<void> {
  const lines = Array.from({ length: batch }, (_, index) =>
    JSON.stringify({ id: `m-${first + index}`, value: String(index) }),
  );
  const response = await fetch(`${url}/v1/streams/mendable/events`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.join("\n"),
  });
  assert.equal(response.status, 202, await response.text());
}

async function replay(url: string): Promise<Job> {
  const response = await fetch(`${url}/v1/replays`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ select: { filter: { stream: "mendable", state: "quarantined" } }, mode: "run", recipe }),
  });
  const text = await response.text();
  assert.equal(response.status, 202, text);
  return JSON.parse(text) as Job;
}

async function get<Answer>(url: string): Promise<Answer> {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return (await response.json()) as Answer;
}

async function eventually<Result>(check: () => Promise<Result>, seconds = 120): Promise<Result> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await pause(200);
  }
}
