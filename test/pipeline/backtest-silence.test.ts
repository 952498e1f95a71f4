import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnomalyDraft, DetectorState } from "../../src/model/anomaly.ts";
import type { AnomalyDefinition, Project } from "../../src/model/definition.ts";
import type { Detector, DetectorOptions } from "../../src/model/detector.ts";
import { recordId, recordIdText } from "../../src/model/record.ts";
import { Backtest, type BacktestFind, type BacktestRecord } from "../../src/pipeline/process/rules/backtest.ts";
import { detectAll } from "../../src/pipeline/process/rules/detect-all.ts";
import { judgeSilence } from "../../src/pipeline/process/rules/judge-silence.ts";
import type { DetectorStates } from "../../src/ports/detector-states.ts";

const second = 1_000;
const minute = 60 * second;
const start = Date.UTC(2026, 10, 16, 12);
const rate = { kind: "rate", bucketMillis: 10 * second, warmup: 20, silence: true, falseAlarmsPerWeek: 1 } as const;

const rule = (detect: DetectorOptions = rate, per: string | null = "sensor"): AnomalyDefinition => {
  return { kind: "anomaly", name: "alive", stream: "readings", fields: ["value"], per, detect };
};

/** A record every five seconds from one minute to another; each arrives `lagMillis` after it happened. */
function steady(sensor: string, from: number, to: number, lagMillis = 0): BacktestRecord[] {
  return Array.from({ length: (to - from) * 12 }, (_, index) =>
    record(sensor, from * minute + index * 5 * second, lagMillis),
  );
}

function record(sensor: string, after: number, lagMillis = 0): BacktestRecord {
  const time = start + after;
  const id = recordIdText(recordId(time, Buffer.from(sensor.padEnd(10))));
  return { id, time, receivedAt: time + lagMillis, data: { sensor, value: 1 } };
}

const byTime = (...series: readonly BacktestRecord[][]) => series.flat().sort((one, other) => one.time - other.time);

/** The backtest of these records, some at a time, up to a minute. */
async function backtested(
  of: AnomalyDefinition,
  records: readonly BacktestRecord[],
  to: number,
  pageRecords = 1_000,
): Promise<{ readonly finds: readonly BacktestFind[]; readonly incidents: number }> {
  const backtest = new Backtest(of);
  const finds: BacktestFind[] = [];
  for (let from = 0; from < records.length; from += pageRecords) {
    finds.push(...(await backtest.add(records.slice(from, from + pageRecords))));
  }
  finds.push(...backtest.end(start + to * minute));
  return { finds, incidents: backtest.summary().incidents };
}

/** What a server would have raised: each second it processes what has arrived, then asks who is silent. */
async function live(of: AnomalyDefinition, records: readonly BacktestRecord[], to: number): Promise<AnomalyDraft[]> {
  const kept = new Map<string, DetectorState>();
  const keep = (states: readonly DetectorState[]) => {
    for (const state of states) kept.set(state.key, state);
  };
  const read = (key: string) => [kept.get(key) ?? []].flat().map((state) => ({ ...state, falsePositives: 0 }));
  const states: DetectorStates = {
    async *due(now) {
      for (const { key, dueAt = Number.POSITIVE_INFINITY } of [...kept.values()]) {
        for (const state of dueAt <= now ? read(key) : []) yield { tenant: "", state };
      }
    },
    commit: async ({ state, anomalies }) => {
      keep([state]);
      found.push(...anomalies);
      return "committed";
    },
  };
  const project: Project = {
    ...{ name: "plant", sources: [], recipes: new Map(), streams: new Map(), alerts: [] },
    anomalies: [of],
  };
  const found: AnomalyDraft[] = [];
  for (let now = start; now <= start + to * minute; now += second) {
    const inputs = records
      .filter(({ receivedAt }) => receivedAt > now - second && receivedAt <= now)
      .map(({ time, receivedAt, data }, index) => {
        return { draft: { id: recordId(time, Buffer.alloc(10)), time, index }, result: data, receivedAt };
      });
    const detected = await detectAll("", [of], inputs, {
      loadStates: async (_tenant, keys) => keys.flatMap(({ key }) => read(key)),
    });
    keep(detected.states);
    found.push(...detected.anomalies);
    await judgeSilence(project, states, { seenUntil: now, watchedSince: start });
  }
  return found;
}

const told = ({ recordId: _, ...anomaly }: BacktestFind): AnomalyDraft => anomaly;
const keysAndTimes = (finds: readonly AnomalyDraft[]) =>
  finds.map(({ key, time }) => `${key} ${(time - start) / minute}`);

describe("silence in a backtest", () => {
  // Sensor b is quiet, but for one record; c for good.
  const series = byTime(
    steady("a", 0, 120),
    ...[steady("b", 0, 40), [record("b", 55 * minute)], steady("b", 100, 120)],
    steady("c", 0, 60),
  );
  const lastOf = (to: number) => to - 5 / 60;

  test("is what a live server would have told, of each key, and is over with the next record", async () => {
    const { finds, incidents } = await backtested(rule(), series, 120);
    const expected = await live(rule(), series, 120);
    assert.deepEqual(finds.map(told), expected);
    assert.deepEqual(keysAndTimes(finds), [`b ${lastOf(40)}`, "b 55", `c ${lastOf(60)}`]);
    assert.ok(finds.every(({ recordId: of }) => of === null));
    assert.equal(incidents, 3, "the second silence of b is one of its own");
  });

  test("is the same however many records are given at a time, and however long they are on their way", async () => {
    const expected = (await backtested(rule(), series, 120)).finds.map(told);
    assert.deepEqual((await backtested(rule(), series, 120, 7)).finds.map(told), expected);
    const lag = 20 * minute;
    const later = series.map((one) => ({ ...one, receivedAt: one.receivedAt + lag }));
    assert.deepEqual(
      keysAndTimes((await backtested(rule(), later, 140, 100)).finds),
      keysAndTimes(expected.map((find) => ({ ...find, time: find.time + lag }))),
    );
  });

  test("is found at the end of the range when it is long enough by then, and not before", async () => {
    const records = steady("a", 0, 60);
    const { finds } = await backtested(rule(), records, 24 * 60);
    assert.deepEqual(keysAndTimes(finds), [`a ${lastOf(60)}`]);
    const seconds = Number(/No record for (\d+) seconds/.exec(finds[0]?.verdict.why ?? "")?.[1]);
    assert.ok(seconds >= 20 && seconds < 90, finds[0]?.verdict.why);
    const end = lastOf(60) + seconds / 60;
    assert.equal((await backtested(rule(), records, end)).finds.length, 1);
    assert.deepEqual((await backtested(rule(), records, end - 1 / 60)).finds, []);
  });

  test("is none of steady keys, nor where the rule does not ask for it", async () => {
    assert.deepEqual((await backtested(rule(), byTime(steady("a", 0, 90), steady("b", 0, 90)), 90)).finds, []);
    assert.deepEqual((await backtested(rule({ ...rate, silence: false }), series, 120)).finds, []);
  });

  test("goes by arrival: what came late is no silence of the others, what came all at once was silent before", async () => {
    const late = steady("a", 0, 90).map((one, index) =>
      index % 100 === 50 ? record("a", index * 5 * second, 600_000) : one,
    );
    assert.deepEqual((await backtested(rule(rate, null), byTime(late, steady("b", 0, 90)), 90)).finds, []);
    // The line is down from minute 40 to 60; what was kept meanwhile is sent then.
    const kept = steady("a", 0, 90).map((one) => {
      const minutes = (one.time - start) / minute;
      return minutes >= 40 && minutes < 60 ? { ...one, receivedAt: start + 60 * minute } : one;
    });
    const { finds } = await backtested(rule(), kept, 90);
    assert.deepEqual(finds.map(told), await live(rule(), kept, 90));
    assert.deepEqual(keysAndTimes(finds), [`a ${lastOf(40)}`]);
    const loaded = series.map((one) => ({ ...one, receivedAt: start + 365 * 24 * 60 * minute }));
    assert.deepEqual((await backtested(rule(), loaded, 120)).finds, []);
  });

  test("is none where clocks run ahead, which makes records look as if the later ones had come", async () => {
    const ahead = byTime(steady("a", 0, 100), steady("b", 10, 100, -10 * minute));
    assert.deepEqual((await backtested(rule(), ahead, 100)).finds, []);
  });

  test("is asked of a detector of one's own, and ends with what it throws", async () => {
    const detector = (overdue: NonNullable<Detector<number, number>["overdue"]>) => {
      const own: Detector<number, number> = {
        kind: "beat",
        judge: ({ receivedAt = 0 }) => ({ verdict: { score: 0, anomalous: false, why: "" }, state: receivedAt }),
        dueAt: (last) => last + minute,
        overdue,
      };
      return rule({ kind: "own", detector: own as Detector });
    };
    const records = byTime(steady("a", 0, 10), steady("a", 30, 40));
    const strict = detector(({ now }, last) => {
      const anomalous = now - last > minute;
      const about = { value: 0, since: last };
      return { verdict: { score: anomalous ? 1 : 0, anomalous, why: "", about }, state: anomalous ? now : last };
    });
    assert.deepEqual(keysAndTimes((await backtested(strict, records, 40)).finds), [`a ${lastOf(10)}`]);
    const broken = detector(() => {
      throw new TypeError("last is null");
    });
    await assert.rejects(backtested(broken, records, 40), {
      code: "CONFIG_INVALID",
      message: "The detector of alive failed: last is null",
    });
  });
});
