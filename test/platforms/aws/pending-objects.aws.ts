import assert from "node:assert/strict";
import { test } from "node:test";
import { PendingObjects } from "../../../src/platforms/aws/pending-objects.ts";
import { testTable } from "./aws-services.ts";

const meta = { tenant: "default", stream: "orders", door: "http", events: 3, receivedAt: 1_700_000_000_000 } as const;

test("an object that waits can be noted as new, again and again, and one that is done is not brought back", async () => {
  let time = 1_700_000_000_000;
  const { table, remove } = await testTable(() => time);
  try {
    const pending = new PendingObjects(table);
    await pending.add("raw/orders/1", meta);
    for (let renewal = 0; renewal < 3; renewal++) {
      time += 60_000;
      await pending.renew("raw/orders/1");
      const found = await pending.get("raw/orders/1");
      assert.deepEqual([found?.at, found?.events], [time, 3]);
    }
    await pending.remove("raw/orders/1");
    await pending.renew("raw/orders/1");
    assert.equal(await pending.get("raw/orders/1"), null);
    assert.equal((await pending.inFlight("default")).size, 0);
  } finally {
    await remove();
  }
});
