import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import type { Detector } from "../../src/index.ts";
import type { AnomalyDefinition, Project } from "../../src/model/definition.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { processRaw } from "../../src/pipeline/process/process-raw.ts";
import { rawMeta } from "../contracts/outcome-samples.ts";
import { streamOf } from "./stream-of.ts";

const stream = streamOf(z.object({ total: z.number() }));
const to = { kind: "email", address: "ops@example.com" } as const;

/** A detector of one's own in ten lines, as the documentation of `detect` shows it. */
const jump: Detector<number, number> = {
  kind: "jump",
  judge({ value }, last) {
    const factor = last === null ? 1 : value / last;
    const anomalous = factor > 10;
    return { verdict: { score: anomalous ? 1 : 0, anomalous, why: `${factor} times the value before.` }, state: value };
  },
};

/** What becomes of these totals in one raw object under a rule with this detector. */
async function outcomeOf(detector: unknown, totals: readonly number[], stateJson = "null"): Promise<Outcome> {
  const rule: AnomalyDefinition = {
    ...{ kind: "anomaly", name: "spend", stream: stream.name, fields: ["total"], per: null },
    detect: { kind: "own", detector: detector as Detector },
  };
  const project: Project = {
    ...{ name: "shop", sources: [], recipes: new Map(), anomalies: [rule] },
    streams: new Map([[stream.name, stream]]),
    alerts: [
      {
        ...{ kind: "alert", name: "alerts[0]", anomaly: "spend", to: [to] },
        ...{ cooldownMillis: 1000, severity: "warning", recovery: true },
      },
    ],
  };
  const body = Buffer.from(JSON.stringify(totals.map((total) => ({ total }))));
  const raw = { key: "raw/orders/1", meta: rawMeta({ stream: stream.name, events: totals.length }), body };
  return processRaw(raw, { kind: "object" }, null, {
    project,
    contract: compileContract(stream),
    records: {
      loadStates: async (_tenant, keys) => keys.map((key) => ({ ...key, version: 1, stateJson, falsePositives: 0 })),
    },
    random: () => 0,
  });
}

const detectorOf = (judge: Detector["judge"]): Detector => ({ kind: "mine", judge });
const calm = { score: 0, anomalous: false, why: "Calm." };

describe("a detector of one's own", () => {
  test("judges each value with the state that it returned for the one before", async () => {
    const { anomalies, notifications } = await outcomeOf(jump, [5, 6, 600, 610]);
    assert.deepEqual(
      anomalies.map(({ value, verdict }) => [value, verdict.why, verdict.expectedLow]),
      [[600, "100 times the value before.", null]],
    );
    assert.equal(notifications[0]?.topic, "anomaly");
  });

  test("that throws loses no record, judges the others, and is told to the receivers of its alerts", async () => {
    const picky = detectorOf(({ value }, state) => {
      if (value === 6) throw new Error("six is too much\nfor me");
      return { verdict: calm, state };
    });
    const { records, states, notifications } = await outcomeOf(picky, [5, 6, 7, 6]);
    assert.deepEqual([records.length, states.length], [4, 1]);
    const [notice] = notifications;
    assert.deepEqual(
      [notifications.length, notice?.topic, notice?.subject, notice?.destinations],
      [1, "rule", `${stream.name}: the rule spend fails`, [to]],
    );
    assert.match(
      notice?.text ?? "",
      /^The detector of spend failed on 2 of the records of raw\/orders\/1: six is too much for me\n/,
    );
  });

  for (const [name, answer, told] of [
    ["no verdict", undefined, /must answer with \{ verdict, state \}/],
    [
      "a score that is no number",
      { verdict: { ...calm, score: Number.NaN }, state: 1 },
      /score .* from 0 to 1, is NaN/,
    ],
    ["no reason", { verdict: { score: 0, anomalous: false }, state: 1 }, /needs anomalous .* and why/],
    ["an endless band", { verdict: { ...calm, expectedLow: -Infinity }, state: 1 }, /numbers or null, holds -Infinity/],
    ["a state that JSON cannot hold", { verdict: calm, state: 5n }, /BigInt/],
    ["a state without bounds", { verdict: calm, state: "x".repeat(40_000) }, /more than 32768/],
  ] as const) {
    test(`is told when it answers with ${name}`, async () => {
      const { records, states, notifications } = await outcomeOf(
        detectorOf(() => answer as never),
        [5],
      );
      assert.deepEqual([records.length, states.length, notifications.length], [1, 1, 1]);
      assert.match(notifications[0]?.text ?? "", told);
    });
  }
});
