import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type EmbeddedRunning, startEmbeddedRunning } from "./embedded-platform.ts";
import { eventually, expectProblem, type FailureRow, type RecordRow } from "./running.ts";

/** A transform that does `deed` with events that ask for it. */
const config = (deed: string) => `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string(), bad: z.boolean() });
const work = stream({ schema, key: "id", transform: (event) => { if (event.bad) { ${deed} } return event; } });
const other = stream({ schema, key: "id" });
export default defineConfig({ name: "isolation", streams: { work, other } });
`;

const deeds: Readonly<Record<string, string>> = {
  "loops for ever": "for (;;);",
  "never settles its promise": "return new Promise(() => undefined);",
  "exits the process": "process.exit(1);",
  "rejects where nobody listens":
    'void Promise.reject(new Error("stray")); return new Promise((r) => setTimeout(r, 500));',
  "exhausts its memory": "const hoard = []; for (;;) hoard.push(new Array(100_000).fill(hoard.length));",
};

/** Crashes before an object is set aside: the first one, and three of which it is certain. */
const crashes = 4;

describe("a transform that ends its thread", { concurrency: 2 }, () => {
  for (const [name, deed] of Object.entries(deeds)) {
    describe(name, { concurrency: false }, () => {
      let running: EmbeddedRunning;
      before(async () => {
        running = await startEmbeddedRunning(config(deed), { objectSecondsMax: 1, dryRunSecondsMax: 5 });
      });
      after(() => running.close());

      test("its object becomes dead, all other objects go on, and the server answers all the time", async () => {
        await running.send("work", { id: "before", bad: false });
        await running.send("work", [
          { id: "bad", bad: true },
          { id: "beside", bad: false },
        ]);
        for (let number = 0; number < 20; number++) {
          await running.send(number % 2 === 0 ? "work" : "other", { id: `after-${number}`, bad: false });
        }
        await running.settled(100);
        const failures = await running.list<FailureRow>("/v1/failures?stream=work");
        assert.deepEqual(
          failures.map(({ state, class: kind, code, rawIndex }) => [state, kind, code, rawIndex]).sort(),
          [
            ["dead", "poison", "OBJECT_POISON", 0],
            ["dead", "poison", "OBJECT_POISON", 1],
          ],
        );
        const records = [
          ...(await running.list<RecordRow>("/v1/streams/work/records")),
          ...(await running.list<RecordRow>("/v1/streams/other/records")),
        ];
        assert.equal(records.length, 21);
        const { accepted, stored, dead } = await running.balance("work");
        assert.deepEqual([accepted, stored, dead], [13, 11, 2]);
        const stopped = running.events.filter((event) => event.kind === "health" && event.problem === null);
        assert.equal(stopped.length, crashes);
        await eventually(async () => assert.equal((await running.request("/health/ready")).status, 200));
      });

      test("a dry run of it is refused, and neither other dry runs nor anything else pays for it", async () => {
        const tried = (bad: boolean) =>
          running.request("/v1/streams/work/events?dryRun=true", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ id: "tried", bad }),
          });
        const [bad, good] = await Promise.all([tried(true), tried(false)]);
        await expectProblem(bad, 422, "DRY_RUN_ENDED");
        const { events } = (await good.json()) as { events: { outcome: string }[] };
        assert.deepEqual([good.status, events[0]?.outcome], [200, "stored"]);
        assert.equal((await running.request("/health/ready")).status, 200);
      });

      test("after the transform was mended a retry makes records of what was set aside", async () => {
        await running.reconfigure(config(""));
        for (const { id } of await running.list<FailureRow>("/v1/failures?state=dead")) {
          assert.equal((await running.request(`/v1/failures/${id}/retry`, { method: "POST" })).status, 202);
        }
        await running.settled(60);
        const { stored, dead } = await running.balance("work");
        assert.deepEqual([stored, dead], [13, 0]);
      });
    });
  }
});
