import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { principalByKey } from "../../src/http/principal-by-key.ts";
import { readTenantKeys } from "../../src/model/tenant-keys.ts";

const own = "the-key-of-default";
const acme = "the-key-of-acme--";

describe("keys of tenants", () => {
  test("each say whose they are, and any other text says nobody", () => {
    const principalOf = principalByKey(own, new Map([["acme", acme]]));
    assert.deepEqual(principalOf(own), { name: "key", tenant: "default" });
    assert.deepEqual(principalOf(acme), { name: "key", tenant: "acme" });
    for (const wrong of ["", own.slice(1), `${own} `, acme.toUpperCase(), `acme:${acme}`, "default"]) {
      assert.equal(principalOf(wrong), null, wrong);
    }
  });

  test("are refused where two tenants have one, or default has two", () => {
    for (const keys of [{ acme: own }, { acme, globex: acme }, { default: acme }]) {
      assert.throws(() => principalByKey(own, new Map(Object.entries(keys))), {
        code: "SETTING_INVALID",
        message: /same key|has its key already/,
      });
    }
  });

  test("are read only with a name and a key each, and what is wrong is told without either", () => {
    assert.deepEqual(readTenantKeys([["acme", acme]]), { ok: true, keys: new Map([["acme", acme]]) });
    const wrong: readonly (readonly [string, unknown, RegExp])[] = [
      ["", acme, /^entry 2 must begin with a tenant's name/],
      ["Globex", acme, /tenant's name/],
      ["a".repeat(64), acme, /tenant's name/],
      ["globex", "too-short-a-key", /^entry 2 must have a key of 16 to 200/],
      ["globex", "a key with spaces", /must have a key/],
      ["globex", 1_234_567_890_123_456, /must have a key/],
      ["acme", "another-key-of-acme", /has a key already/],
    ];
    for (const [tenant, key, reason] of wrong) {
      const read = readTenantKeys([
        ["acme", acme],
        [tenant, key],
      ]);
      assert.ok(!read.ok);
      assert.match(read.problem, reason);
      assert.doesNotMatch(read.problem, /Globex|acme|too-short|a key with/);
    }
  });
});
