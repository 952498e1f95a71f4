import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type AnomalyRow, eventually, isoTime, type NotificationRow, type Platform, type Running } from "../running.ts";

const config = `
import { alert, anomaly, defineConfig, email, stream } from "eventpulse";
import { z } from "zod";

const schema = z.looseObject({ at: z.iso.datetime(), country: z.string(), load: z.number(), latency: z.number() });
const [visits, categories, shapes, pairs, own, beats, offices] = [0, 1, 2, 3, 4, 5, 6].map(() => stream({ schema, time: "at", pii: ["email"] }));
const volume = anomaly(visits, { detect: { rate: { bucket: "1m", warmup: 30, silence: false } } });
const newCountry = anomaly(categories, { value: "country", detect: { novelty: { warmup: 50 } } });
const drift = anomaly(shapes, { detect: { drift: { window: 20 } } });
const together = anomaly(pairs, { value: ["load", "latency"], detect: { multivariate: { warmup: 50 } } });
const jump = anomaly(own, {
  value: "load",
  detect: {
    kind: "jump",
    judge({ value }, last) {
      if (value === 13) throw new Error("unlucky");
      const anomalous = last !== null && value > 10 * last;
      return { verdict: { score: anomalous ? 1 : 0, anomalous, why: "More than ten times the value before." }, state: value };
    },
  },
});
const alive = anomaly(beats, { per: "country", detect: { rate: { bucket: "1s", warmup: 10 } } });
const usual = anomaly(offices, { value: "load", detect: "streaming" });
export default defineConfig({
  name: "detecting",
  streams: { visits, categories, shapes, pairs, own, beats, offices },
  anomalies: { volume, newCountry, drift, together, jump, alive, usual },
  alerts: [alert({ on: alive, to: [email("ops@example.com")] }), alert({ on: jump, to: [email("ops@example.com")] })],
});
`;

export function detectingScenarios(platform: Platform): void {
  describe("rules of every kind", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    const start = Date.UTC(2026, 0, 31, 12);
    const event = (second: number, more: object = {}) => ({
      ...{ at: isoTime(start + second * 1000), country: "DE", load: 100, latency: 200 },
      ...more,
    });
    const found = async (stream: string) => running.list<AnomalyRow>(`/v1/anomalies?stream=${stream}`);
    /** Ordinary ones, in which the latency follows the load. */
    const ordinary = (count: number) =>
      Array.from({ length: count }, (_, index) => {
        const load = 100 + ((index * 37) % 50);
        return event(index, { load, latency: 2 * load + (index % 7) });
      });

    test("an ordinary value at an unusual hour is an anomaly: what a series does every day is learned over many objects", async () => {
      const perDay = 96;
      const night = 6 * perDay + 8;
      const days = Array.from({ length: night + 6 }, (_, quarter) => {
        const busy = Math.max(0, Math.sin((((quarter % perDay) / perDay) * 24 - 7) * (Math.PI / 12)));
        const load = quarter >= night ? 75 : 20 + 60 * busy + ((quarter * 37) % 11) / 10;
        return { ...event(0), at: isoTime(Date.UTC(2026, 0, 1) + quarter * 15 * 60_000), load };
      });
      for (const [from, to] of [
        [0, 200],
        [200, 500],
        [500, night],
        [night, days.length],
      ] as const) {
        await running.send("offices", days.slice(from, to));
        await running.settled();
      }
      const [first, ...others] = await found("offices");
      assert.deepEqual(others, []);
      assert.deepEqual([first?.rule, first?.field, first?.value], ["usual", "load", 75]);
      assert.ok(String(first?.time).startsWith("2026-01-07T02:") || String(first?.time).startsWith("2026-01-07T03:"));
      assert.match(first?.why ?? "", /this time of day|the level at this time of day/);
      assert.ok(Number(first?.expectedHigh) < 40, `expected up to ${first?.expectedHigh}`);
    });

    test("a minute with too many records is an anomaly of that minute, not of a record", async () => {
      const minutes = Array.from({ length: 40 }, (_, minute) =>
        Array.from({ length: minute === 36 ? 100 : 10 + (minute % 3) }, (_, index) => event(minute * 60 + index / 2)),
      );
      await running.send("visits", minutes.flat());
      await running.settled();
      const [many, ...others] = await found("visits");
      assert.deepEqual(others, []);
      assert.deepEqual([many?.rule, many?.field, many?.value, many?.recordId], ["volume", "", 100, null]);
      assert.equal(many?.time, isoTime(start + 36 * 60_000));
      const query = new URLSearchParams({ field: "", from: isoTime(start), to: isoTime(start + 3_600_000) });
      const series = await running.get<{ anomalies: readonly AnomalyRow[] }>(`/v1/streams/visits/series?${query}`);
      assert.deepEqual(
        series.anomalies.map(({ id }) => id),
        [many?.id],
      );
    });

    test("a category that was never there is an anomaly of its record", async () => {
      await running.send("categories", [...ordinary(100), event(101, { country: "NZ" })]);
      await running.settled();
      const [first, ...others] = await found("categories");
      assert.deepEqual(others, []);
      assert.deepEqual([first?.field, first?.value], ["country", "NZ"]);
      const record = await running.get<{ data: { country: string } }>(
        `/v1/streams/categories/records/${first?.recordId}`,
      );
      assert.equal(record.data.country, "NZ");
    });

    test("a new field is told with its record, a field that vanished with its window", async () => {
      const coupons = ordinary(60).map((one) => ({ ...one, coupon: "x" }));
      await running.send("shapes", [...coupons, ...ordinary(20), event(99, { coupon: "x", vat: 5 })]);
      await running.settled();
      const all = await found("shapes");
      assert.deepEqual(all.map(({ field, value, recordId }) => [field, value, recordId === null]).sort(), [
        ["coupon", 1, true],
        ["vat", "number", false],
      ]);
    });

    test("numbers that do not fit each other are an anomaly of the one that is to blame", async () => {
      await running.send("pairs", [...ordinary(150), event(200, { load: 120, latency: 300 })]);
      await running.settled();
      const [pair, ...others] = await found("pairs");
      assert.deepEqual(others, []);
      assert.deepEqual([pair?.rule, pair?.value], ["together", pair?.field === "load" ? 120 : 300]);
      assert.match(pair?.why ?? "", /ordinary by itself, but does not fit/);
    });

    test("a detector of the config judges; where it throws, the record is stored and somebody is told", async () => {
      await running.send("own", [event(0, { load: 1 }), event(1, { load: 13 }), event(2, { load: 50 })]);
      await running.settled();
      const all = await found("own");
      assert.deepEqual(
        all.map(({ value, why }) => [value, why]),
        [[50, "More than ten times the value before."]],
      );
      assert.equal((await running.balance("own")).stored, 3);
      const told = await running.list<NotificationRow>("/v1/notifications");
      assert.deepEqual(
        told.filter(({ topic }) => topic === "rule").map(({ subject }) => subject),
        ["own: the rule jump fails"],
      );
    });

    test("a key that falls silent is told although nothing comes, and it is told when it speaks again", async () => {
      const beat = (from: number, to: number, country: string) =>
        Array.from({ length: Math.floor((to - from) / 200) }, (_, index) =>
          event(0, { at: isoTime(from + index * 200), country }),
        );
      const began = Date.now();
      await running.send("beats", [...beat(began - 30_000, began, "DE"), ...beat(began - 30_000, began, "FR")]);
      // Silence is not judged before ten buckets of ten seconds have passed.
      await pause(11_000);
      const now = Date.now();
      await running.send("beats", [...beat(began, now, "DE"), ...beat(began, now, "FR")]);
      let last = now;
      const speaks = async () => {
        const until = Date.now();
        if (until - last >= 400) await running.send("beats", beat(last, until, "FR"));
        if (until - last >= 400) last = until;
      };
      const silent = await eventually(
        async () => {
          await speaks();
          const [first, ...others] = await found("beats");
          assert.ok(first !== undefined);
          assert.deepEqual(others, []);
          return first;
        },
        { seconds: 30 },
      );
      assert.deepEqual(
        [silent.rule, silent.key, silent.field, silent.value, silent.recordId],
        ["alive", "DE", "", 0, null],
      );
      assert.match(silent.why, /^No record for \d+ seconds, since .*, while about \d+ were to be expected\.$/);
      await running.send("beats", [event(0, { at: isoTime(Date.now()) })]);
      await running.settled();
      await eventually(async () => {
        const told = await running.list<NotificationRow>("/v1/notifications");
        const topics = told.filter(({ stream }) => stream === "beats").map(({ topic }) => topic);
        assert.deepEqual(topics.sort(), ["anomaly", "recovery"]);
      });
    });
  });
}
