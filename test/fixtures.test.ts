import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fixture, fixtureMissing } from "./fixtures.ts";

describe("fixtures", () => {
  const names = ["EVENTPULSE_FIXTURES", "EVENTPULSE_FIXTURES_DIR"] as const;
  const before = names.map((name) => [name, process.env[name]] as const);
  beforeEach(() => {
    process.env["EVENTPULSE_FIXTURES_DIR"] = fileURLToPath(new URL(".", import.meta.url));
    delete process.env["EVENTPULSE_FIXTURES"];
  });
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  test("are found in the folder that the environment names", () => {
    assert.equal(fixture("fixtures.test.ts"), fileURLToPath(import.meta.url));
    assert.equal(fixtureMissing("fixtures.test.ts"), false);
  });
  test("that are missing skip with a reason that says what to do", () => {
    assert.match(String(fixtureMissing("none.json")), /none\.json is missing.*EVENTPULSE_FIXTURES_DIR/);
  });
  test("that are missing and required never skip, and fail", () => {
    process.env["EVENTPULSE_FIXTURES"] = "required";
    assert.equal(fixtureMissing("none.json"), false);
    assert.throws(() => fixture("none.json"), /none\.json is missing/);
  });
});
