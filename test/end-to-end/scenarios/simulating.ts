import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type FailureRow, type Platform, type RecordRow, type Running } from "../running.ts";

const config = `
import { defineConfig, http, simulator, stream } from "eventpulse";
import { z } from "zod";

const readings = stream({ schema: z.object({ device: z.string(), celsius: z.number().min(-40).max(60) }) });
export default defineConfig({
  name: "simulating",
  streams: { readings },
  sources: [http(), simulator(readings, { every: "1s", count: 20, seed: 7, faults: { invalid: 0.2 } })],
});
`;

export function simulatingScenarios(platform: Platform): void {
  describe("simulating", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    test("the simulator's events take the way of all events: records of those that fit, failures of those that do not", async () => {
      await eventually(async () => {
        const { stored, quarantined } = await running.balance("readings");
        assert.ok(stored >= 20 && quarantined >= 1, `${stored} stored, ${quarantined} quarantined`);
      });
      const [record] = (await running.get<{ data: RecordRow[] }>("/v1/streams/readings/records?limit=1")).data;
      assert.equal(typeof record?.data["celsius"], "number");
      const [failure] = (await running.get<{ data: FailureRow[] }>("/v1/failures?limit=1")).data;
      assert.equal(failure?.code, "CONTRACT_BROKEN");
    });
  });
}
