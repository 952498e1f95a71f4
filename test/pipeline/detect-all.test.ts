import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { AnomalyDefinition } from "../../src/model/definition.ts";
import type { DetectorOptions } from "../../src/model/detector.ts";
import { type Detected, detectAll } from "../../src/pipeline/process/rules/detect-all.ts";
import { recordDraft } from "../contracts/outcome-samples.ts";

const start = Date.UTC(2026, 10, 16, 12);
const sensitive = { falseAlarmsPerWeek: 1000 };
const options: readonly (readonly [DetectorOptions, readonly string[]])[] = [
  [{ kind: "range", low: -1, high: 1 }, ["n"]],
  [{ kind: "mad", window: 20, threshold: 1, warmup: 3 }, ["n"]],
  [{ kind: "streaming", ...sensitive }, ["n"]],
  [{ kind: "rate", bucketMillis: 1000, warmup: 10, silence: true, ...sensitive }, []],
  [{ kind: "novelty", warmup: 10, hidden: false, ...sensitive }, ["c"]],
  [{ kind: "drift", window: 20, ...sensitive }, []],
  [{ kind: "multivariate", fields: ["n", "m"], warmup: 20, ...sensitive }, ["n", "m"]],
];
const rules: readonly AnomalyDefinition[] = options.map(([detect, fields]) => ({
  ...{ kind: "anomaly", name: detect.kind, stream: "orders", fields, detect },
  per: detect.kind === "mad" ? "k" : null,
}));

interface Sample {
  readonly result: Record<string, unknown>;
  readonly time: number;
  readonly receivedAt?: number;
}

/** Judges records that came in one raw object, from nothing or from where others left off. */
async function detect(samples: readonly Sample[], from: Detected | null = null, of = rules): Promise<Detected> {
  const known = new Map((from?.states ?? []).map((state) => [`${state.rule} ${state.key}`, state]));
  const inputs = samples.map(({ result, time, receivedAt = start + 3_600_000 }, index) => {
    const id = recordDraft({ time: Math.max(0, time), index, eventId: `${index}` }).id;
    return { draft: { id, time, index }, result, receivedAt };
  });
  return detectAll("default", of, inputs, {
    loadStates: async (_tenant, keys) =>
      keys.map(({ rule, key }) => {
        const state = known.get(`${rule} ${key}`) ?? { rule, key, version: 0, stateJson: "null" };
        return { ...state, falsePositives: 0 };
      }),
  });
}

describe("all rules over the records of an object", () => {
  test("judges what a rule's kind takes, and leaves out records that do not have it", async () => {
    const { states } = await detect([{ result: { n: "1", c: null, k: "a" }, time: start }]);
    assert.deepEqual(states.map(({ rule }) => rule).sort(), ["drift", "rate"]);
    const all = await detect([{ result: { n: 1, m: 2, c: true, k: "a" }, time: start }]);
    assert.equal(all.states.length, rules.length);
  });

  test("a clock that runs ahead does not make all that follows late", async () => {
    const rate = rules.filter(({ name }) => name === "rate");
    const beat = (second: number, count: number) =>
      Array.from({ length: count }, () => ({
        result: {},
        time: start + second * 1000,
        receivedAt: start + second * 1000,
      }));
    const ahead = { result: {}, time: Date.UTC(2099, 0, 1), receivedAt: start };
    const before = Array.from({ length: 30 }, (_, second) => beat(second, 10)).flat();
    const { anomalies } = await detect(
      [ahead, ...before, ...beat(30, 200), ...beat(31, 10), ...beat(32, 10)],
      null,
      rate,
    );
    assert.deepEqual(
      anomalies.map(({ value, time }) => [value, time]),
      [[200, start + 30_000]],
    );
  });

  test("takes any records, and says the same of them when they come again", async () => {
    const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
    console.log(`seed ${seed}`);
    const key = fc.oneof(fc.constantFrom("n", "m", "c", "k", "__proto__", "constructor"), fc.string());
    const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const value = fc.oneof(number, fc.string(), fc.jsonValue());
    const named = fc.record({ n: number, m: number, c: fc.string(), k: fc.constantFrom("a", "__proto__") });
    // As JSON.parse makes them: `__proto__` is a name like any other.
    const result = fc.tuple(named, fc.dictionary(key, value)).map((parts) =>
      JSON.parse(
        `{${parts
          .map((part) => JSON.stringify(part).slice(1, -1))
          .filter(Boolean)
          .join(",")}}`,
      ),
    );
    const time = fc.oneof(fc.integer({ min: start, max: start + 60_000 }), fc.integer({ min: 0, max: 2 ** 47 }));
    const sample = fc.record({ result, time });
    await fc.assert(
      fc.asyncProperty(fc.array(sample, { minLength: 1, maxLength: 60 }), async (samples) => {
        const middle = Math.ceil(samples.length / 2);
        const first = await detect(samples.slice(0, middle));
        const found = await detect(samples.slice(middle), first);
        assert.deepEqual(await detect(samples.slice(middle), first), found);
        assert.deepEqual(found.troubles, []);
        for (const { verdict, id, time: at, field } of found.anomalies) {
          assert(verdict.score >= 0.5 && verdict.score <= 1, JSON.stringify(verdict));
          for (const edge of [verdict.expectedLow, verdict.expectedHigh]) {
            assert(edge === null || Number.isFinite(edge), JSON.stringify(verdict));
          }
          assert.match(id, /^anom_[0-9a-f]{32,}$/);
          assert(Number.isFinite(at) && typeof field === "string" && verdict.why !== "");
        }
      }),
      { seed, numRuns: 150 },
    );
  });
});
