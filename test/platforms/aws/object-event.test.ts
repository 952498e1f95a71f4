import assert from "node:assert/strict";
import { test } from "node:test";
import { objectMessage, tasksOf } from "../../../src/platforms/aws/handlers/object-event.ts";

const time = Date.UTC(2026, 0, 2);

test("keys of EventBridge are as they are, those of S3 itself are URL-encoded", () => {
  const bridged = {
    "detail-type": "Object Created",
    time: "2026-01-02T00:00:00Z",
    detail: { object: { key: "inbox/default/orders/a+b%20c" } },
  };
  assert.deepEqual(tasksOf(JSON.stringify(bridged), 0), [
    { kind: "object", key: "inbox/default/orders/a+b%20c", time },
  ]);
  const own = { Records: [{ eventTime: "2026-01-02T00:00:00.000Z", s3: { object: { key: "raw/a+b%2Bc%C3%A9" } } }] };
  assert.deepEqual(tasksOf(JSON.stringify(own), 0), [{ kind: "object", key: "raw/a b+cé", time }]);
});

test("an event that is sent again reads as the first one", () => {
  assert.deepEqual(tasksOf(objectMessage("raw/ü +%", time), 0), [{ kind: "object", key: "raw/ü +%", time }]);
});

test("work is work, a test event is nothing, and anything else is an error", () => {
  const work = { kind: "event", tenant: "default", rawKey: "raw/a", stream: "orders", index: 1, attempt: 2 };
  assert.deepEqual(tasksOf(JSON.stringify(work), 0), [{ kind: "work", work }]);
  assert.deepEqual(tasksOf('{"Event":"s3:TestEvent"}', 0), []);
  for (const body of ["", "null", "{}", '{"kind":"other"}', '"text"']) assert.throws(() => tasksOf(body, 0), body);
});
