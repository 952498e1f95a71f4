import assert from "node:assert/strict";
import type { Fate, Sent, StreamName } from "./load.ts";

interface Page {
  readonly data: readonly Record<string, unknown>[];
  readonly page: { readonly next: string | null };
}

async function get(url: string): Promise<unknown> {
  const response = await fetch(url);
  assert.equal(response.status, 200, `${url}: ${response.status}`);
  return response.json();
}

export async function all(url: string): Promise<readonly Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let cursor = ""; ; ) {
    const page = (await get(`${url}limit=1000${cursor}`)) as Page;
    rows.push(...page.data);
    if (page.page.next === null) return rows;
    cursor = `&cursor=${encodeURIComponent(page.page.next)}`;
  }
}

export interface StreamBalance {
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: number;
  readonly quarantined: number;
  readonly dead: number;
  readonly inFlight: number;
}

export async function balance(url: string): Promise<Record<StreamName | "mendable", StreamBalance>> {
  return ((await get(`${url}/v1/balance`)) as { streams: Record<StreamName | "mendable", StreamBalance> }).streams;
}

/** Waits until nothing is in flight. */
export async function settled(url: string, seconds: number): Promise<void> {
  for (let waited = 0; waited < seconds * 10; waited++) {
    const { keyed, plain } = await balance(url);
    if (keyed.inFlight === 0 && plain.inFlight === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`still in flight after ${seconds} s: ${JSON.stringify(await balance(url))}`);
}

export interface Tally {
  readonly acknowledged: number;
  readonly unacknowledged: number;
  readonly kept: number;
}

/**
 * Compares all that was sent with all that can be read: what was acknowledged is there exactly once and became what it
 * had to; what was not acknowledged is there once or not at all; nothing else is there; the balance is exact.
 */
export async function verify(url: string, sent: readonly Sent[]): Promise<Tally> {
  const balances = await balance(url);
  let [acknowledged, unacknowledged, kept] = [0, 0, 0];
  for (const stream of ["keyed", "plain"] as const) {
    const records = (await all(`${url}/v1/streams/${stream}/records?`)).map(
      (row) => (row["data"] as { tag: string }).tag,
    );
    const failures = await all(`${url}/v1/failures?stream=${stream}&`);
    const tagged = await mapLimited(failures, async (row) => ({
      state: row["state"],
      tag: await payloadTag(url, String(row["id"])),
    }));
    const found: Record<Exclude<Fate, "drop">, readonly string[]> = {
      store: records,
      quarantine: tagged.filter(({ state }) => state === "quarantined").map(({ tag }) => tag),
      dead: tagged.filter(({ state }) => state === "dead").map(({ tag }) => tag),
    };
    const requests = sent.filter((request) => request.stream === stream);
    const dropped = compare(stream, requests, found);
    const { accepted, stored, quarantined, dead, inFlight, ...rest } = balances[stream];
    assert.equal(accepted, stored + rest.dropped + quarantined + dead + inFlight, `the balance of ${stream}`);
    assert.deepEqual([stored, quarantined, dead], [found.store.length, found.quarantine.length, found.dead.length]);
    assert.ok(
      rest.dropped >= dropped.acknowledged && rest.dropped <= dropped.all,
      `dropped of ${stream}: ${rest.dropped}`,
    );
    for (const request of requests) {
      if (request.acknowledged) acknowledged += request.events.length;
      else unacknowledged += request.events.length;
    }
    kept += accepted;
  }
  return { acknowledged, unacknowledged, kept };
}

function compare(stream: string, requests: readonly Sent[], found: Record<Exclude<Fate, "drop">, readonly string[]>) {
  const dropped = { acknowledged: 0, all: 0 };
  const expected = new Map<string, Fate>();
  const sets = { store: new Set(found.store), quarantine: new Set(found.quarantine), dead: new Set(found.dead) };
  for (const fate of ["store", "quarantine", "dead"] as const) {
    assert.equal(sets[fate].size, found[fate].length, `${stream}: something is there twice (${fate})`);
  }
  for (const { events, acknowledged, sends } of requests) {
    for (const { tag, fate } of events) {
      expected.set(tag, fate);
      if (fate === "drop") {
        // A dropped event leaves nothing behind by which a second one could be recognised.
        dropped.all += sends;
        if (acknowledged) dropped.acknowledged++;
      } else if (acknowledged)
        assert.ok(sets[fate].has(tag), `${stream}: ${tag} was acknowledged and is lost (${fate})`);
    }
  }
  for (const fate of ["store", "quarantine", "dead"] as const) {
    for (const tag of sets[fate]) assert.equal(expected.get(tag), fate, `${stream}: ${tag} is there as ${fate}`);
  }
  return dropped;
}

/** Tens of thousands of requests at once would need as many sockets. */
async function mapLimited<Row, Result>(rows: readonly Row[], one: (row: Row) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const rest = rows.values();
  const worker = async () => {
    for (const row of rest) results.push(await one(row));
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return results;
}

async function payloadTag(url: string, id: string): Promise<string> {
  const response = await fetch(`${url}/v1/failures/${id}/payload`);
  assert.equal(response.status, 200);
  return ((await response.json()) as { tag: string }).tag;
}
