import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { runBacktest } from "../../src/cli/run-backtest.ts";
import { connect } from "../../src/client/connection.ts";
import type { AnomalyDefinition } from "../../src/model/definition.ts";
import { startEmbeddedRunning } from "./embedded-platform.ts";
import { type AnomalyRow, eventually, isoTime } from "./running.ts";

const config = `
import { anomaly, defineConfig, stream } from "eventpulse";
import { z } from "zod";

const beats = stream({ schema: z.object({ at: z.iso.datetime() }), time: "at" });
const alive = anomaly(beats, { detect: { rate: { bucket: "1s", warmup: 10 } } });
export default defineConfig({ name: "silence", streams: { beats }, anomalies: { alive } });
`;

const alive: AnomalyDefinition = {
  ...{ kind: "anomaly", name: "alive", stream: "beats", fields: [], per: null },
  detect: { kind: "rate", bucketMillis: 1_000, warmup: 10, silence: true, falseAlarmsPerWeek: 1 },
};

test("a silence counts from the restart: what fell into the time when the server was down is none of others", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-silence-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const start = () => startEmbeddedRunning(config, { dataDirectory: join(folder, "data") });
  const beat = (from: number, to: number) =>
    Array.from({ length: Math.floor((to - from) / 200) }, (_, index) => ({ at: isoTime(from + index * 200) }));
  const first = await start();
  const began = Date.now();
  await first.send("beats", beat(began - 30_000, began));
  // Silence is not judged before records have come for ten buckets.
  await pause(10_500);
  const last = Date.now();
  await first.send("beats", beat(began, last));
  await first.settled();
  await first.close();

  await pause(8_000);
  const restarted = Date.now();
  const second = await start();
  try {
    const found = await eventually(
      async () => {
        const [one] = await second.list<AnomalyRow>("/v1/anomalies");
        assert.ok(one !== undefined);
        return { one, at: Date.now() };
      },
      { seconds: 20 },
    );
    const { one, at } = found;
    assert.ok(at - restarted >= 2_000, `told ${at - restarted} ms after the restart`);
    assert.deepEqual([one.rule, one.value, one.recordId], ["alive", 0, null]);
    assert.equal(Math.abs(Date.parse(one.time) - last) < 1_000, true, one.time);
    const finds: (readonly [string, boolean])[] = [];
    await runBacktest(
      connect({ url: second.url, key: second.key }),
      alive,
      { from: isoTime(began - 60_000), to: isoTime(at) },
      { find: async ({ id }, stored) => void finds.push([id, stored]), gone: async () => {} },
      new AbortController().signal,
    );
    assert.deepEqual(finds, [[one.id, true]], "a backtest of the stored records finds it, too");
    assert.ok(Number(/while about (\d+) were/.exec(one.why)?.[1]) < ((at - restarted) / 1_000) * 5 + 5, one.why);
  } finally {
    await second.close();
  }
});
