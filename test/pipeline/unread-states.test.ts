import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { AnomalyDefinition, Project } from "../../src/model/definition.ts";
import { EventPulseError } from "../../src/model/error.ts";
import type { RawMeta } from "../../src/model/raw-object.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { processObject, type WorkContext } from "../../src/pipeline/process/process-work.ts";
import { streamOf } from "./stream-of.ts";

const stream = streamOf(z.object({ total: z.number() }));
const rule: AnomalyDefinition = {
  ...{ kind: "anomaly", name: "spend", stream: stream.name, fields: ["total"], per: null },
  detect: { kind: "range", low: null, high: 9 },
};
const project: Project = {
  ...{ name: "shop", alerts: [], sources: [], recipes: new Map() },
  streams: new Map([[stream.name, stream]]),
  anomalies: [rule],
};
const meta: RawMeta = {
  ...{ tenant: "default", stream: stream.name, door: "http", format: "json", contentType: "application/json" },
  ...{ receivedAt: 0, headers: {}, idSeed: "00112233445566", idSeedFromClient: false, events: 1, principal: "key" },
};

test("sets no event aside because the states of its detectors cannot be read right now", async () => {
  const busy = new EventPulseError("TOO_BUSY", "try again");
  const context: WorkContext = {
    ...{ project, contracts: new Map([[stream.name, compileContract(stream)]]) },
    ...{ clock: () => 0, random: () => 0, readRaw: async () => null },
    records: { loadStates: () => Promise.reject(busy) },
    failures: { get: async () => null, payload: async () => null },
  };
  const raw = { key: `raw/${stream.name}/1970/01/01/1`, meta, body: Buffer.from('[{"total":1}]') };
  await assert.rejects(processObject(raw, { kind: "object" }, null, context), busy);
});
