import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { StreamDefinition } from "../../src/model/definition.ts";
import type { RawObject } from "../../src/model/raw-object.ts";
import type { Mending } from "../../src/model/recipe.ts";
import { mendingFunction } from "../../src/pipeline/failures/apply-recipe.ts";
import { type ReplayedFailure, replayFailure } from "../../src/pipeline/failures/replay-failure.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import type { LoadedFailure } from "../../src/ports/failure-log.ts";
import { failureOf, rawObject } from "./failure-of.ts";
import { projectOf } from "./project-of.ts";
import { streamOf } from "./stream-of.ts";

interface Order {
  readonly id: string;
  total: number;
}

const schema = z.object({ id: z.string(), total: z.number() });
const project = projectOf({
  recipes: new Map([
    [
      "fix",
      {
        kind: "function",
        name: "fix",
        apply: (event, { code }) => ({ ...(event as Order), total: code.length }),
      },
    ],
  ]),
});
const toNumber: Mending = {
  kind: "recipe",
  recipe: { name: "number", description: "", steps: [{ do: "cast", path: "/total", to: "number" }] },
};

/** Counts how often the rest of the failure is asked for; `payload` null: retention has removed it. */
function loaded(object: RawObject, payload: string | null, rawIndex = 0) {
  const failure = failureOf(object, { rawIndex, code: "CONTRACT_BROKEN" });
  const asked = { times: 0 };
  const found: LoadedFailure = {
    head: failure,
    whole() {
      asked.times++;
      return payload === null ? null : { failure, payload: Buffer.from(payload) };
    },
  };
  return { found, asked };
}

function replayed(
  found: LoadedFailure,
  raw: RawObject | null,
  mending: Mending | null = null,
  more: Partial<StreamDefinition> = {},
): Promise<ReplayedFailure> {
  const contract = compileContract(streamOf(schema, { key: "id", ...more }));
  const context = {
    project,
    contracts: new Map([[found.head.stream, contract]]),
    readRaw: () => assert.fail("the caller has the object"),
    records: { loadStates: () => assert.fail("no rule watches the stream") },
    failures: { get: () => assert.fail("is loaded"), payload: () => assert.fail("is loaded") },
    clock: () => 0,
    random: () => 0,
  };
  const job = { id: "job_1" } as Parameters<typeof replayFailure>[2];
  return replayFailure(found, raw, job, mendingFunction(mending, project), false, context);
}

const dataOf = ({ outcome }: ReplayedFailure) => outcome?.records.map(({ dataJson }) => dataJson);

test("an event comes from its raw object, and nothing else of the failure is asked for", async () => {
  const object = rawObject('[{"id":"a","total":1},{"id":"b","total":"2"}]', { events: 2 });
  const { found, asked } = loaded(object, null, 1);
  assert.deepEqual(dataOf(await replayed(found, object, toNumber)), ['{"id":"b","total":2}']);
  assert.equal(asked.times, 0);
});

test("when the object is gone, or does not hold the event any more, its payload tells", async () => {
  const object = rawObject('{"id":"a","total":"7"}');
  const { found } = loaded(object, '{"id":"a","total":"7"}');
  assert.deepEqual(dataOf(await replayed(found, null, toNumber)), ['{"id":"a","total":7}']);
  const { found: lost } = loaded(object, '{"id":"a","total":"7"}', 3);
  const { outcome, reason } = await replayed(lost, object);
  assert.deepEqual([outcome?.failures.length, reason?.code], [1, "OBJECT_MISSING"]);
});

test("a failure that retention removed meanwhile is gone, and ends nothing", async () => {
  const { found } = loaded(rawObject("{}"), null);
  const { outcome, result } = await replayed(found, null, toNumber);
  assert.deepEqual([outcome, result], [null, "gone"]);
});

test("a function of the config is told of the failure; without it, it mends nothing", async () => {
  const object = rawObject('{"id":"a","total":"7"}');
  const fix: Mending = { kind: "function", name: "fix" };
  const { found, asked } = loaded(object, "");
  assert.deepEqual(dataOf(await replayed(found, object, fix)), ['{"id":"a","total":15}']);
  assert.equal(asked.times, 1);
  const { found: removed } = loaded(object, null);
  const { result, reason } = await replayed(removed, object, fix);
  assert.deepEqual([result, reason?.code], ["unmended", "RECIPE_FAILED"]);
});

test("what a transform does to its event is not seen by the next replay of the same object", async () => {
  const object = rawObject('[{"id":"a","total":1}]', { events: 1 });
  const transform = (event: unknown) => {
    (event as Order).total++;
    return event;
  };
  for (const mending of [null, toNumber, null]) {
    const { found } = loaded(object, null);
    assert.deepEqual(dataOf(await replayed(found, object, mending, { transform })), ['{"id":"a","total":2}']);
  }
});

test("a contract or a transform that takes its time gives what one does that does not", async () => {
  const object = rawObject('{"id":"a","total":"7"}');
  const late = async (event: unknown) => ({ ...(event as Order), late: true });
  const { found } = loaded(object, null);
  assert.deepEqual(dataOf(await replayed(found, object, toNumber, { transform: late })), [
    '{"id":"a","total":7,"late":true}',
  ]);
});

test("the row of a CSV file that is mended is stored as JSON", async () => {
  const file = rawObject("id,total\na,1\nb,x\n", { format: "csv", contentType: "text/csv", events: 2 });
  const { found } = loaded(file, null, 1);
  const set: Mending = {
    kind: "recipe",
    recipe: { name: "set", description: "", steps: [{ do: "set", path: "/total", value: 2 }] },
  };
  assert.deepEqual(dataOf(await replayed(found, file, set)), ['{"id":"b","total":2}']);
});
