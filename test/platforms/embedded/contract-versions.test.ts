import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { listContractVersions, recordContractVersions } from "../../../src/platforms/embedded/contract-versions.ts";
import { embeddedStores } from "./store-folder.ts";

type Stores = Awaited<ReturnType<typeof embeddedStores>>;

const contract = (version: string, announced: string | null = null, name = "orders") => {
  return { stream: { name, version: announced }, version, jsonSchema: { type: "object", title: version } };
};

/** The same as it is listed. */
const listed = (version: string, announced: string | null, firstSeenAt: number) => {
  return { stream: "orders", version, announced, jsonSchema: { type: "object", title: version }, firstSeenAt };
};

function withStores(body: (stores: Stores) => void) {
  return async () => {
    const stores = await embeddedStores();
    try {
      body(stores);
    } finally {
      await stores.close();
    }
  };
}

describe("contract versions", () => {
  test(
    "are kept once each, the one in force first, with their schema and the name that was announced",
    withStores(({ database }) => {
      recordContractVersions(database, "acme", [contract("a"), contract("x", null, "notes")], 1000);
      recordContractVersions(database, "acme", [contract("a"), contract("x", null, "notes")], 2000);
      recordContractVersions(database, "acme", [contract("b", "2.0.0")], 3000);
      assert.deepEqual(listContractVersions(database, "acme", "orders"), [
        listed("b", "2.0.0", 3000),
        listed("a", null, 1000),
      ]);
      assert.equal(listContractVersions(database, "acme", "notes").length, 1);
      assert.deepEqual(listContractVersions(database, "other", "orders"), []);
    }),
  );

  test(
    "that come back are in force again, even in the same millisecond or with a clock that was set back",
    withStores(({ database }) => {
      for (const [version, now] of [
        ["a", 1000],
        ["b", 1000],
        ["a", 500],
      ] as const) {
        recordContractVersions(database, "acme", [contract(version)], now);
        assert.equal(listContractVersions(database, "acme", "orders")[0]?.version, version);
      }
      assert.equal(listContractVersions(database, "acme", "orders").length, 2);
    }),
  );

  test(
    "take a new announced name without becoming a new version, and live without a schema",
    withStores(({ database }) => {
      recordContractVersions(database, "acme", [{ ...contract("a"), jsonSchema: null }], 1000);
      recordContractVersions(database, "acme", [{ ...contract("a", "1.1.0"), jsonSchema: null }], 2000);
      assert.deepEqual(listContractVersions(database, "acme", "orders"), [
        { ...listed("a", "1.1.0", 1000), jsonSchema: null },
      ]);
    }),
  );
});
