import assert from "node:assert/strict";
import { test } from "node:test";
import type { Project } from "../../../src/model/definition.ts";
import type { Detector, SilencePoint } from "../../../src/model/detector.ts";
import { noIncident } from "../../../src/pipeline/process/rules/follow-incident.ts";
import { ruleStateText } from "../../../src/pipeline/process/rules/rule-state.ts";
import { SilenceLoop } from "../../../src/platforms/embedded/silence-loop.ts";
import type { DueState } from "../../../src/ports/detector-states.ts";

const rate = { kind: "rate", bucketMillis: 1000, warmup: 10, silence: true, falseAlarmsPerWeek: 1 } as const;
const project: Project = {
  ...{ name: "shop", sources: [], recipes: new Map(), alerts: [], streams: new Map() },
  anomalies: [{ ...{ kind: "anomaly", name: "alive", stream: "orders", fields: [], per: null }, detect: rate }],
};

/** A loop over a store that notes how it is asked, and a clock. */
function loopOf(of: Project, due: (now: number) => void, states: readonly DueState[] = []) {
  let time = 1_000_000;
  const health: (string | null)[] = [];
  const loop = new SilenceLoop({
    project: of,
    clock: () => time,
    states: {
      async *due(now) {
        due(now);
        yield* states;
      },
      commit: async () => "committed",
    },
    onCommitted: () => assert.fail("nothing was found"),
    onHealth: (problem) => health.push(problem),
  });
  const look = async (millis: number): Promise<void> => {
    time += millis;
    await loop.look(time - 500);
  };
  return { health, look };
}

test("asks once a second, as of what is processed", async () => {
  const asked: number[] = [];
  const { look } = loopOf(project, (now) => asked.push(now));
  for (let times = 0; times < 10; times++) await look(250);
  assert.deepEqual(asked, [999_750, 1_000_750, 1_001_750]);
});

test("does not look at the store when no rule means anything by silence", async () => {
  const { look } = loopOf({ ...project, anomalies: [] }, () => assert.fail("asked"));
  await look(5000);
});

test("says when it cannot ask, and when it can again", async () => {
  let fails = true;
  const { look, health } = loopOf(project, () => {
    if (fails) throw new Error("disk full");
  });
  await look(1000);
  fails = false;
  await look(1000);
  await look(1000);
  assert.deepEqual(health, ["Silence cannot be judged: disk full", null]);
});

test("counts time from its start, and anew after a break in which the machine was asleep", async () => {
  const points: SilencePoint[] = [];
  const detector: Detector = {
    kind: "mine",
    judge: (_point, state) => ({ verdict: { score: 0, anomalous: false, why: "Calm." }, state }),
    overdue(point, state) {
      points.push(point);
      return { verdict: { score: 0, anomalous: false, why: "Not yet." }, state };
    },
  };
  const [rule] = project.anomalies;
  assert(rule !== undefined);
  const own: Project = { ...project, anomalies: [{ ...rule, detect: { kind: "own", detector } }] };
  const stateJson = ruleStateText({ detector: 1, incident: noIncident });
  const state = { rule: "alive", key: "", version: 1, stateJson, falsePositives: 0 };
  const { look } = loopOf(own, () => undefined, [{ tenant: "default", state }]);
  for (const millis of [1000, 1000, 3_600_000, 1000]) await look(millis);
  assert.deepEqual(
    points.map(({ watchedSince }) => watchedSince),
    [1_000_000, 1_000_000, 4_602_000, 4_602_000],
  );
});
