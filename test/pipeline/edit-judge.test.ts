import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, test } from "node:test";
import { z } from "zod";
import { EventPulseError } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import type { RawObject } from "../../src/model/raw-object.ts";
import type { PatchOperation } from "../../src/model/recipe.ts";
import { judgeEdit } from "../../src/pipeline/failures/edit.ts";
import { failureEvent, mended } from "../../src/pipeline/failures/failure-event.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { failureOf, rawObject } from "./failure-of.ts";
import { streamOf } from "./stream-of.ts";

type Order = { id: string; total: number; country: string };
const schema = z.object({ id: z.string(), total: z.number(), country: z.string().length(2) });
const contract = compileContract(
  streamOf(schema, {
    key: "id",
    pii: ["country"],
    transform: (event) => {
      const order = event as Order;
      if (order.total === 13) throw new Error("unlucky");
      return order.total === 0 ? null : { ...order, cents: order.total * 100 };
    },
  }),
);

async function judged(object: RawObject | null, payload: string, patch: readonly PatchOperation[], rawIndex = 0) {
  const failure = failureOf(object ?? rawObject(payload), { rawIndex });
  return judgeEdit({ failure, payload: Buffer.from(payload), object, patch }, contract);
}

async function refusal(judging: Promise<unknown>): Promise<EventPulseError> {
  try {
    await judging;
  } catch (error) {
    assert(error instanceof EventPulseError, String(error));
    return error;
  }
  return assert.fail("the edit is refused");
}

describe("judgeEdit", () => {
  const sent = '{"id":"a","total":"7","country":"DE"}';

  test("tells the event before and after and what it would become", async () => {
    const judgement = await judged(rawObject(sent), sent, [{ op: "replace", path: "/total", value: 7 }]);
    const after = '{"id":"a","total":7,"country":"DE"}';
    assert.deepEqual(judgement, {
      before: sent,
      after,
      sha256: hash("sha256", after, "hex"),
      outcome: "stored",
      results: [{ id: "a", total: 7, country: "DE", cents: 700 }],
    });
    const dropped = await judged(rawObject(sent), sent, [{ op: "replace", path: "/total", value: 0 }]);
    assert.deepEqual([dropped.outcome, dropped.results], ["dropped", []]);
  });

  test("refuses an edit after which the event would still fail, with the reasons and without personal data", async () => {
    const wrong = await refusal(
      judged(rawObject(sent), sent, [{ op: "replace", path: "/country", value: "Deutschland" }]),
    );
    assert.equal(wrong.code, "EDIT_REFUSED");
    assert.deepEqual(
      wrong.errors.map(({ pointer, actual }) => [pointer, actual]),
      [
        ["/total", '"7"'],
        ["/country", '"•••"'],
      ],
    );
    assert.doesNotMatch(JSON.stringify([wrong.message, wrong.errors]), /Deutschland/);
    const threw = await refusal(judged(rawObject(sent), sent, [{ op: "replace", path: "/total", value: 13 }]));
    assert.match(threw.message, /still fail \(TRANSFORM_THREW\).*unlucky/);
    const same = await refusal(judged(rawObject(sent), sent, []));
    assert.deepEqual([same.code, same.errors[0]?.pointer], ["EDIT_REFUSED", "/total"]);
    const stale = await refusal(judged(rawObject(sent), sent, [{ op: "remove", path: "/vat" }]));
    assert.equal(stale.code, "PATCH_INVALID");
  });

  test("edits an event that could not be read as null: only a whole one takes its place", async () => {
    const duplicate = '{"id":"a","id":"b"}';
    const whole = { id: "b", total: 1, country: "DE" };
    const judgement = await judged(rawObject(duplicate), duplicate, [{ op: "replace", path: "", value: whole }]);
    assert.deepEqual([judgement.before, judgement.after], [null, JSON.stringify(whole)]);
    const part = await refusal(judged(rawObject(duplicate), duplicate, [{ op: "add", path: "/total", value: 1 }]));
    assert.equal(part.code, "PATCH_INVALID");
  });

  test("keeps the limits of an event", async () => {
    const large = await refusal(
      judged(rawObject(sent), sent, [{ op: "add", path: "/note", value: "x".repeat(limits.eventBytesMax) }]),
    );
    assert.deepEqual([large.code, large.errors[0]?.code], ["EDIT_REFUSED", "EVENT_TOO_LARGE"]);
    let deep: unknown = 1;
    for (let level = 0; level < limits.jsonDepthMax; level++) deep = { deep };
    const nested = await refusal(judged(rawObject(sent), sent, [{ op: "add", path: "/note", value: deep }]));
    assert.deepEqual([nested.code, nested.errors[0]?.code], ["EDIT_REFUSED", "JSON_TOO_DEEP"]);
  });

  test("edits a CSV row by its columns while its file is there, and only as a whole after", async () => {
    const file = rawObject("id,total,country\na,1,DE\nb,x,DE\n", { format: "csv", contentType: "text/csv", events: 2 });
    const patch: readonly PatchOperation[] = [{ op: "replace", path: "/total", value: 2 }];
    const judgement = await judged(file, "b,x,DE", patch, 1);
    assert.equal(judgement.before, '{"id":"b","total":"x","country":"DE"}');
    assert.deepEqual(judgement.results, [{ id: "b", total: 2, country: "DE", cents: 200 }]);
    const failure = failureOf(file, { rawIndex: 1 });
    const gone = { failure, payload: Buffer.from("b,x,DE"), object: null };
    assert.equal((await refusal(judgeEdit({ ...gone, patch }, contract))).code, "PATCH_INVALID");
    const whole: PatchOperation = { op: "replace", path: "", value: { id: "b", total: 2, country: "DE" } };
    assert.equal((await judgeEdit({ ...gone, patch: [whole] }, contract)).outcome, "stored");
  });
});

describe("failureEvent", () => {
  const body = '[{"id":"a","n":{"m":1}},{"id":"b"}]';

  test("is the event as acceptance saw it, from the object or from the payload alone", () => {
    const object = rawObject(body, { events: 2 });
    const failure = failureOf(object, { rawIndex: 1 });
    const payload = Buffer.from('{"id":"b"}');
    const whole = failureEvent({ failure, payload }, object, contract);
    assert.equal(whole.object, object);
    assert.deepEqual(
      [whole.event.index, whole.event.data, String(whole.event.original)],
      [1, { id: "b" }, '{"id":"b"}'],
    );
    const alone = failureEvent({ failure, payload }, null, contract);
    assert.deepEqual([alone.event.index, alone.event.data, alone.object.key], [0, { id: "b" }, object.key]);
    assert.deepEqual([...alone.event.original], [...payload]);
  });

  test("takes the data out of a CloudEvent, also from its payload alone", () => {
    const envelope = '{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"id":"b"}}';
    const object = rawObject(envelope, { format: "cloudevent", contentType: "application/cloudevents+json" });
    for (const kept of [object, null]) {
      const { event } = failureEvent({ failure: failureOf(object), payload: Buffer.from(envelope) }, kept, contract);
      assert.deepEqual([event.data, event.attributes?.["source"]], [{ id: "b" }, "/s"]);
    }
  });

  test("gives each caller data of its own, though an object is read once", () => {
    const object = rawObject(body, { events: 2 });
    const read = () =>
      failureEvent({ failure: failureOf(object), payload: Buffer.from("") }, object, contract).event.data;
    const first = read() as { n: { m: number } };
    first.n.m = 9;
    assert.deepEqual(read(), { id: "a", n: { m: 1 } });
  });

  test("has errors, and does not throw, for bytes that are no event (any more)", () => {
    const object = rawObject("not json", {});
    const cases: readonly (readonly [RawObject | null, string, number, string])[] = [
      [object, "not json", 0, "JSON_INVALID"],
      [rawObject("[]", {}), "{}", 3, "OBJECT_MISSING"],
      [null, "", 0, "JSON_INVALID"],
      [null, "not json", 0, "JSON_INVALID"],
      [null, '{"a":1},{"b":2}', 0, "JSON_INVALID"],
      [null, '{"a":1,"a":2}', 0, "JSON_KEY_DUPLICATE"],
    ];
    for (const [kept, payload, rawIndex, code] of cases) {
      const { event } = failureEvent(
        { failure: failureOf(object, { rawIndex }), payload: Buffer.from(payload) },
        kept,
        contract,
      );
      assert.equal(event.errors?.[0]?.code, code, payload);
      assert.equal(event.data, null);
    }
  });

  test("does not take a list that was sent as one event for a list of events", () => {
    const { event } = failureEvent(
      { failure: failureOf(rawObject("")), payload: Buffer.from('[{"id":"a"}]') },
      null,
      contract,
    );
    assert.deepEqual(event.data, [{ id: "a" }]);
  });
});

test("mended keeps who the event is, and what it now consists of is the bytes of its data", () => {
  const attributes = { source: "/s", id: "1" };
  const event = { index: 4, original: Buffer.from("?"), data: null, attributes, errors: [] };
  const data = JSON.parse('{"a":[1],"__proto__":{"x":1}}');
  const result = mended(event, data);
  assert.deepEqual([result.index, result.attributes, result.errors], [4, attributes, null]);
  assert.equal(Buffer.from(result.original).toString(), '{"a":[1],"__proto__":{"x":1}}');
  assert.equal(result.data, data);
  assert.equal(result.text, Buffer.from(result.original).toString());
});
