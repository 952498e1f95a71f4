import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dynamoContractVersions } from "../../../src/platforms/aws/contract-versions.ts";
import { testTable } from "./aws-services.ts";

const contract = (version: string, announced: string | null = null) => ({
  stream: { name: "orders", version: announced },
  version,
  jsonSchema: { title: version },
});

describe("contract versions", () => {
  test("lists the newest first, and an older one that comes back as the newest", async () => {
    const { table, remove } = await testTable(() => 0);
    const versions = dynamoContractVersions(table);
    const list = async () =>
      (await versions.list("acme", "orders")).map(({ version, announced, firstSeenAt }) => [
        version,
        announced,
        firstSeenAt,
      ]);
    await versions.record(
      "acme",
      [contract("aa"), { ...contract("ff"), stream: { name: "refunds", version: null } }],
      5,
    );
    await versions.record("acme", [contract("aa")], 7);
    assert.deepEqual(await list(), [["aa", null, 5]]);
    // Two starts in one millisecond, and a clock that was set back.
    await versions.record("acme", [contract("bb")], 5);
    assert.deepEqual(await list(), [
      ["bb", null, 6],
      ["aa", null, 5],
    ]);
    await versions.record("acme", [contract("bb", "2")], 9);
    await versions.record("acme", [contract("aa")], 20);
    assert.deepEqual(await list(), [
      ["aa", null, 20],
      ["bb", "2", 6],
    ]);
    const [newest] = await versions.list("acme", "orders");
    assert.deepEqual(newest?.jsonSchema, { title: "aa" });
    assert.deepEqual(await versions.list("rival", "orders"), []);
    await remove();
  });

  test("keeps one entry when many start at once", async () => {
    const { table, remove } = await testTable(() => 0);
    const versions = dynamoContractVersions(table);
    await Promise.all(Array.from({ length: 8 }, (_, index) => versions.record("acme", [contract("aa")], index)));
    assert.equal((await versions.list("acme", "orders")).length, 1);
    await remove();
  });
});
