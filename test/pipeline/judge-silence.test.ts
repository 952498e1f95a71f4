import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import type { DetectorState } from "../../src/model/anomaly.ts";
import type { AnomalyDefinition, Project } from "../../src/model/definition.ts";
import type { Detector, DetectorOptions } from "../../src/model/detector.ts";
import { detectAll } from "../../src/pipeline/process/rules/detect-all.ts";
import type { Watch } from "../../src/pipeline/process/rules/detect-silence.ts";
import { judgeSilence, knowsSilence } from "../../src/pipeline/process/rules/judge-silence.ts";
import type { SilenceOutcome } from "../../src/ports/detector-states.ts";
import { recordDraft } from "../contracts/outcome-samples.ts";
import { streamOf } from "./stream-of.ts";

const second = 1000;
const start = Date.UTC(2026, 10, 16, 12);
const stream = streamOf(z.object({ country: z.string() }));
const rate = { kind: "rate", bucketMillis: second, warmup: 10, silence: true, falseAlarmsPerWeek: 1 } as const;

function projectOf(detect: DetectorOptions | null): Project {
  const rule: AnomalyDefinition[] =
    detect === null
      ? []
      : [{ ...{ kind: "anomaly", name: "alive", stream: stream.name, fields: [], per: "country" }, detect }];
  const to = [{ kind: "email", address: "ops@example.com" } as const];
  return {
    ...{ name: "shop", sources: [], recipes: new Map(), anomalies: rule, streams: new Map([[stream.name, stream]]) },
    alerts: [
      {
        ...{ kind: "alert", name: "alerts[0]", anomaly: "alive", to, cooldownMillis: 0 },
        ...{ severity: "warning", recovery: true },
      },
    ],
  };
}

/** A state after half a minute with ten records a second. */
async function heard(project: Project): Promise<DetectorState> {
  const inputs = Array.from({ length: 300 }, (_, index) => {
    const time = start + index * 100;
    return { draft: recordDraft({ time, index }), result: { country: "DE" }, receivedAt: time };
  });
  const loadStates = async (_tenant: string, keys: readonly { rule: string; key: string }[]) =>
    keys.map((key) => ({ ...key, version: 0, stateJson: "null", falsePositives: 0 }));
  const { states } = await detectAll("default", project.anomalies, inputs, { loadStates });
  assert(states[0] !== undefined);
  return { ...states[0], version: 1 };
}

const last = start + 29_900;

/** What comes of asking about this state. */
async function asked(
  project: Project,
  state: DetectorState,
  watch: Partial<Watch> = {},
  answer: "committed" | "stale" = "committed",
): Promise<{ readonly committed: readonly SilenceOutcome[]; readonly tried: readonly SilenceOutcome[] }> {
  const tried: SilenceOutcome[] = [];
  const states = {
    async *due() {
      yield { tenant: "default", state: { ...state, falsePositives: 0 } };
    },
    commit: async (outcome: SilenceOutcome) => {
      tried.push(outcome);
      return answer;
    },
  };
  const committed = await judgeSilence(project, states, { seenUntil: last + 60_000, watchedSince: start, ...watch });
  return { committed, tried };
}

describe("judging silence", () => {
  const project = projectOf(rate);

  test("makes an anomaly without a record, an incident and its notice", async () => {
    const state = await heard(project);
    assert((state.dueAt ?? 0) > last && (state.dueAt ?? 0) < last + 10_000, String((state.dueAt ?? 0) - last));
    const { committed } = await asked(project, state);
    const [outcome] = committed;
    const [anomaly] = outcome?.anomalies ?? [];
    assert.deepEqual(
      [anomaly?.key, anomaly?.field, anomaly?.value, anomaly?.index, anomaly?.time],
      ["DE", "", 0, null, last],
    );
    assert.deepEqual([outcome?.state.version, outcome?.state.dueAt, outcome?.stream], [1, undefined, stream.name]);
    assert.deepEqual(
      outcome?.notifications.map(({ topic, incident }) => [topic, incident?.rule, incident?.key]),
      [["anomaly", "alive", "DE"]],
    );
    assert.equal(outcome?.expiresAt, last + 60_000 + stream.retention.records);
  });

  test("counts only time in which EventPulse was up, and up to which everything is processed", async () => {
    const state = await heard(project);
    const none = { committed: [], tried: [] };
    assert.deepEqual(await asked(project, state, { watchedSince: last + 59_000 }), none);
    assert.deepEqual(await asked(project, state, { seenUntil: last + 1000 }), none);
    assert.deepEqual(await asked(project, state, { seenUntil: last - 60_000 }), none);
  });

  test("does not count what was stale", async () => {
    const { committed, tried } = await asked(project, await heard(project), {}, "stale");
    assert.deepEqual([committed.length, tried.length], [0, 1]);
  });

  test("asks no more of a rule that is gone, or is of another kind now", async () => {
    const state = await heard(project);
    for (const other of [projectOf(null), projectOf({ kind: "range", low: 0, high: null })]) {
      const [outcome] = (await asked(other, state)).committed;
      assert.deepEqual([outcome?.anomalies, outcome?.notifications, outcome?.state.dueAt], [[], [], undefined]);
      assert.equal(outcome?.state.stateJson, state.stateJson);
    }
  });

  test("a detector of a config that throws is told, and not asked again before something comes", async () => {
    const detector: Detector = {
      kind: "mine",
      judge: (_point, state) => ({ verdict: { score: 0, anomalous: false, why: "Calm." }, state }),
      overdue: () => {
        throw new Error("no idea");
      },
    };
    const own = projectOf({ kind: "own", detector });
    const [outcome] = (await asked(own, await heard(project))).committed;
    assert.deepEqual([outcome?.anomalies, outcome?.state.dueAt], [[], undefined]);
    assert.deepEqual(
      outcome?.notifications.map(({ topic, text }) => [topic, text.split("\n")[0]]),
      [["rule", "The detector of alive failed on 1 of the times that it was asked about a silence: no idea"]],
    );
  });

  test("is for projects with a rule to which silence means something", () => {
    assert.equal(knowsSilence(project), true);
    assert.equal(knowsSilence(projectOf({ ...rate, silence: false })), false);
    assert.equal(knowsSilence(projectOf({ kind: "drift", window: 20, falseAlarmsPerWeek: 1 })), false);
  });
});
