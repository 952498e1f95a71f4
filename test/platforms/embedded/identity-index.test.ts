import assert from "node:assert/strict";
import { test } from "node:test";
import { identityHash } from "../../../src/model/identity.ts";
import { recordId } from "../../../src/model/record.ts";
import { openDatabase } from "../../../src/platforms/embedded/database.ts";
import { IdentityIndex, IdentityMerge } from "../../../src/platforms/embedded/identity-index.ts";

test("finds every identity once, while they move from the table of recent ones to the large one", () => {
  const database = openDatabase(":memory:", { mode: "write" });
  const merge = new IdentityMerge(database);
  const batches = 8;
  const batchSize = 10_000;
  const identity = (number: number) => {
    const { hash53, bytes10 } = identityHash("default", "orders", "", `order-${number}`);
    return { hash: hash53, id: recordId(1_000, bytes10) };
  };
  const batch = (first: number) => Array.from({ length: batchSize }, (_, offset) => identity(first + offset));

  for (let start = 0; start < batches * batchSize; start += batchSize) {
    const index = new IdentityIndex(database);
    const identities = batch(start);
    index.expect(identities.map(({ hash }) => hash));
    database.transaction(() => {
      for (const { hash, id } of identities) {
        const lookup = index.lookup(hash, id, 7);
        assert.ok(lookup.kind === "new");
        index.insert(lookup.slot, 1, id, 7);
        assert.equal(index.lookup(hash, id, 7).kind, "duplicate", "before it is in a table");
      }
      index.flush(merge);
    });
  }

  const count = (table: string) => database.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n ?? 0;
  assert.equal(count("identities") + count("identities_recent"), batches * batchSize);
  assert.ok(count("identities") > 0 && count("identities_recent") > 0, "both tables hold some");
  for (let start = 0; start < batches * batchSize; start += batchSize) {
    const expected = new IdentityIndex(database);
    const identities = batch(start);
    expected.expect(identities.map(({ hash }) => hash));
    const asked = new IdentityIndex(database);
    for (const { hash, id } of identities) {
      assert.deepEqual(expected.lookup(hash, id, 7), { kind: "duplicate", recordId: new Uint8Array(id) });
      assert.equal(asked.lookup(hash, id, 8).kind, "conflict");
    }
  }
  database.close();
});
