import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Detector, RateDetectorOptions, Verdict } from "../../src/model/detector.ts";
import { rateDetector } from "../../src/pipeline/process/detect/rate-detector.ts";
import { gaussian, randomOf } from "./random-of.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** A Monday at midnight. */
const start = Date.UTC(2026, 10, 16);
const options: RateDetectorOptions = {
  ...{ kind: "rate", bucketMillis: minute, warmup: 60, silence: true, falseAlarmsPerWeek: 1 },
};

/** A Poisson count, or the nearest whole number to a normal one where the mean is large. */
function poisson(random: () => number, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * gaussian(random)));
  let count = 0;
  for (let product = random(); product > Math.exp(-mean); product *= random()) count++;
  return count;
}

/** Feeds the records of one minute after the other; answers with what was anomalous, and the state. */
class Feed {
  readonly #detector: Detector<unknown, never>;
  state: unknown = null;
  readonly found: Verdict[] = [];
  falsePositives = 0;

  constructor(detector: Detector<unknown, never>) {
    this.#detector = detector;
  }

  at(time: number, receivedAt = time): Verdict {
    const { falsePositives } = this;
    const { verdict, state } = this.#detector.judge(
      { time, receivedAt, value: {}, falsePositives },
      this.state as never,
    );
    this.state = state;
    if (verdict.anomalous) this.found.push(verdict);
    return verdict;
  }

  minute(time: number, count: number): void {
    for (let index = 0; index < count; index++) this.at(time + Math.floor((index * minute) / count));
  }

  get dueAt(): number | null {
    return this.state === null ? null : (this.#detector.dueAt?.(this.state as never) ?? null);
  }

  overdue(now: number, watchedSince = 0): Verdict | undefined {
    const { falsePositives } = this;
    const judged = this.#detector.overdue?.({ now, watchedSince, falsePositives }, this.state as never);
    if (judged !== undefined) this.state = judged.state;
    return judged?.verdict;
  }
}

const feedOf = (change: Partial<RateDetectorOptions> = {}): Feed =>
  new Feed(rateDetector({ ...options, ...change }) as Detector<unknown, never>);

/** Two hours of about 20 records a minute. */
function steady(feed: Feed, seed = 1, minutes = 120): number {
  const random = randomOf(seed);
  for (let at = 0; at < minutes; at++) feed.minute(start + at * minute, poisson(random, 20));
  return start + minutes * minute;
}

describe("the rate detector", () => {
  test("finds a minute with far too many records, once, and says which", () => {
    const feed = feedOf();
    const end = steady(feed);
    feed.minute(end, 200);
    for (const later of [1, 2, 3]) feed.minute(end + later * minute, 20);
    assert.equal(feed.found.length, 1);
    const [found] = feed.found;
    assert.deepEqual(found?.about, { field: "", value: 200, since: end });
    assert(found !== undefined && found.score > 0.5 && found.score < 1);
    assert.match(
      found.why,
      /^200 records in 1 minute; expected \d+ to \d+ by the last buckets, the same hour of the day before/,
    );
  });

  test("finds a minute with far too few, but not one that is cut short by a gap", () => {
    const feed = feedOf();
    const end = steady(feed);
    feed.minute(end, 2);
    for (const later of [1, 2, 3]) feed.minute(end + later * minute, 20);
    assert.deepEqual(
      feed.found.map(({ about }) => about?.value),
      [2],
    );
    const cut = feedOf();
    steady(cut);
    cut.minute(end, 2);
    for (const later of [9, 10, 11, 12]) cut.minute(end + later * minute, later === 9 ? 3 : 20);
    assert.deepEqual(cut.found, []);
  });

  test("counts a record that is a bucket late, and leaves out what is later", () => {
    const feed = feedOf();
    const end = steady(feed);
    feed.minute(end, 20);
    feed.minute(end + minute, 20);
    for (let index = 0; index < 180; index++) feed.at(end + index);
    assert.equal(feed.found.length, 0);
    for (const later of [2, 3, 4]) feed.minute(end + later * minute, 20);
    assert.deepEqual(
      feed.found.map(({ about }) => about?.value),
      [200],
    );
    assert.match(feed.at(end).why, /too late/);
    for (let index = 0; index < 500; index++) feed.at(start);
    for (const later of [5, 6, 7]) feed.minute(end + later * minute, 20);
    assert.equal(feed.found.length, 1);
  });

  test("takes a lasting change of level as normal after a while", () => {
    const feed = feedOf();
    const end = steady(feed);
    for (let later = 0; later < 60; later++) feed.minute(end + later * minute, 60);
    assert(feed.found.length > 3 && feed.found.length < 40, String(feed.found.length));
    assert((feed.found.at(-1)?.about?.since ?? 0) < end + 45 * minute);
  });

  test("keeps to its false alarms: two quiet weeks, with days and nights, of several sizes", () => {
    const seed = Number(process.env["SEED"] ?? 7);
    console.log(`seed ${seed}`);
    let alarms = 0;
    for (const [index, mean] of [0.05, 1, 10, 100].entries()) {
      const random = randomOf(seed + index);
      const feed = feedOf();
      let silences = 0;
      for (let at = 0; at < 14 * 24 * 60; at++) {
        const time = start + at * minute;
        const due = feed.dueAt;
        if (due !== null && due <= time && feed.overdue(time)?.anomalous) silences++;
        const inDay = 1 - 0.8 * Math.cos((2 * Math.PI * (at % 1440)) / 1440);
        feed.minute(time, poisson(random, mean * inDay));
      }
      alarms += feed.found.length + silences;
      assert(feed.found.length + silences <= 8, `${mean} a minute: ${feed.found.length} found, ${silences} silences`);
    }
    console.log(`${alarms} false alarms in 8 weeks`);
  });

  test("a false positive makes it more lenient", () => {
    const found = [0, 8].map((falsePositives) => {
      const feed = feedOf();
      const end = steady(feed);
      feed.falsePositives = falsePositives;
      feed.minute(end, 55);
      for (const later of [1, 2, 3]) feed.minute(end + later * minute, 20);
      return feed.found.length;
    });
    assert.deepEqual(found, [1, 0]);
  });
});

describe("silence", () => {
  test("is told once, when no record comes at all, and is over with the next one", () => {
    const feed = feedOf();
    const end = steady(feed);
    const due = feed.dueAt;
    assert(due !== null && due >= end && due < end + 5 * minute, String((due ?? 0) - end));
    assert.equal(feed.overdue(due - 1)?.inconclusive, true);
    const verdict = feed.overdue(due);
    assert(verdict?.anomalous && verdict.score >= 0.5);
    assert.match(
      verdict.why,
      /^No record for \d+ (minutes|seconds), since 2026-11-16T01:59:.*Z, while about \d+ were to be expected\.$/,
    );
    assert.equal(verdict.about?.value, 0);
    assert.equal(feed.dueAt, null);
    assert.deepEqual(feed.at(end + hour), { score: 0, anomalous: false, why: "Records come again." });
    assert.notEqual(feed.dueAt, null);
  });

  test("does not count the time in which EventPulse itself was down", () => {
    const feed = feedOf();
    const end = steady(feed);
    const up = end + 8 * hour;
    assert.equal(feed.overdue(up + 1, up)?.anomalous, false);
    assert.equal(feed.overdue(up + 10 * minute, up)?.anomalous, true);
  });

  test("is not known before the warm-up has ended, and not when it is switched off", () => {
    const early = feedOf();
    steady(early, 1, 30);
    assert.equal(early.dueAt, null);
    const off = feedOf({ silence: false });
    steady(off);
    assert.equal(off.dueAt, null);
  });

  test("knows nights: what is silent each night is told at noon within minutes", () => {
    const feed = feedOf();
    const random = randomOf(3);
    const silences: number[] = [];
    for (let at = 0; at < 5 * 24 * 60; at++) {
      const time = start + at * minute;
      const due = feed.dueAt;
      if (due !== null && due <= time && feed.overdue(time)?.anomalous) silences.push(time);
      const isDay = at % 1440 >= 8 * 60 && at % 1440 < 20 * 60;
      feed.minute(time, isDay ? poisson(random, 5) : 0);
    }
    assert(
      silences.every((time) => time < start + 2 * day),
      String(silences.map((time) => (time - start) / hour)),
    );
    const noon = start + 5 * day + 12 * hour;
    for (let at = 0; at < 4 * 60; at++) feed.minute(noon - 4 * hour + at * minute, poisson(random, 5));
    const due = feed.dueAt;
    assert(due !== null && due < noon + hour, String(((due ?? 0) - noon) / minute));
  });

  test("learns that records come in hourly files: after a few, an hour is no silence", () => {
    const feed = feedOf();
    const silences: number[] = [];
    for (let at = 0; at < 48; at++) {
      const arrival = start + at * hour;
      const due = feed.dueAt;
      if (due !== null && due <= arrival && feed.overdue(due)?.anomalous) silences.push(at);
      for (let index = 0; index < 600; index++) feed.at(arrival - hour + index * 6000, arrival);
    }
    assert(silences.length <= 4, String(silences));
    assert(
      silences.every((at) => at < 12),
      String(silences),
    );
    const due = feed.dueAt;
    assert(due !== null && due < start + 47 * hour + 12 * hour);
  });
});

test("the rate detector takes any sequence of times, keeps its state small, and says the same again", () => {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const time = fc.oneof(
    fc.integer({ min: start, max: start + day }),
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
    fc.constantFrom(0, -1, Number.MAX_SAFE_INTEGER),
  );
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 60 }), fc.nat({ max: 100 }), (times, falsePositives) => {
      const detector = rateDetector({ ...options, warmup: 10 });
      let state = null;
      for (const one of times) {
        const point = { time: one, value: {}, falsePositives };
        const judged = detector.judge(point, state);
        assert.deepEqual(detector.judge(point, state), judged);
        const { score, anomalous } = judged.verdict;
        assert(score >= 0 && score <= 1 && anomalous === score >= 0.5, String(score));
        const json = JSON.stringify(judged.state);
        assert(json.length < 4096 && !json.includes("null,null,null,null]}"), json);
        state = JSON.parse(json);
        const due = detector.dueAt?.(state) ?? null;
        assert(due === null || Number.isFinite(due));
        const { verdict } =
          detector.overdue?.({ now: one + 2 * day, watchedSince: 0, falsePositives }, state) ?? judged;
        assert(verdict.score >= 0 && verdict.score <= 1);
      }
    }),
    { seed, numRuns: 200 },
  );
});
