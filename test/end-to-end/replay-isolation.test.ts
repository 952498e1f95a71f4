import assert from "node:assert/strict";
import { test } from "node:test";
import { startEmbeddedRunning } from "./embedded-platform.ts";
import { eventually } from "./running.ts";

/** Loops for ever on the events that a mend makes reach it. */
const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const work = stream({
  schema: z.object({ id: z.string(), value: z.number() }), key: "id",
  transform: (event) => { if (event.value === 13) for (;;); return event; },
});
export default defineConfig({ name: "replay-isolation", streams: { work } });
`;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly stateReason: string | null;
  readonly results: Readonly<Record<string, number>>;
  readonly reasons: readonly { readonly code: string; readonly count: number }[];
}

test("a replay whose item ends the thread sets that item aside and finishes with all others", async () => {
  const running = await startEmbeddedRunning(config, { objectSecondsMax: 2 });
  try {
    const events = Array.from({ length: 30 }, (_, value) => ({ id: `e-${value}`, value: String(value) }));
    await running.send("work", events);
    await running.settled();
    const recipe = { description: "", steps: [{ do: "cast", path: "/value", to: "number" }] };
    const response = await running.request("/v1/replays", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ select: { filter: { stream: "work" } }, mode: "run", recipe }),
    });
    assert.equal(response.status, 202);
    const { id } = (await response.json()) as Job;
    const job = await eventually(
      async () => {
        const now = await running.get<Job>(`/v1/jobs/${id}`);
        // On a busy machine other items can take as long; a step that ended too often pauses its job, and can be resumed.
        if (now.state === "paused") await running.request(`/v1/jobs/${id}/resume`, { method: "POST" });
        assert.equal(now.state, "done", `${now.stateReason}`);
        return now;
      },
      { seconds: 100 },
    );
    assert.deepEqual(job.results, { recovered: 29, failing: 1 });
    assert.deepEqual(
      job.reasons.map(({ code, count }) => [code, count]),
      [["OBJECT_POISON", 1]],
    );
    const { accepted, stored, quarantined } = await running.balance("work");
    assert.deepEqual([accepted, stored, quarantined], [30, 29, 1]);
  } finally {
    await running.close();
  }
});
