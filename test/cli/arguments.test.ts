import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { timeArgument } from "../../src/cli/time-argument.ts";
import { whereArgument, whereQuery } from "../../src/cli/where-argument.ts";
import { wholeNumber } from "../../src/cli/whole-number.ts";

describe("--where", () => {
  const cases = [
    ["total gte 100", "total", "gte", "100"],
    ["total>=100", "total", "gte", "100"],
    ["total >= 100", "total", "gte", "100"],
    ["total<3", "total", "lt", "3"],
    ["a.b != x", "a.b", "ne", "x"],
    ["name=", "name", "eq", ""],
    ["name eq  two  blanks ", "name", "eq", " two  blanks "],
    ["name = a=b>c", "name", "eq", "a=b>c"],
    ["text contains line\nbreak", "text", "contains", "line\nbreak"],
    ["note exists", "note", "exists", "true"],
    ["note exists false", "note", "exists", "false"],
    ["__proto__ eq x", "__proto__", "eq", "x"],
  ] as const;
  for (const [text, field, operator, value] of cases) {
    test(`reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(whereArgument(text), [{ field, operator, value }]);
    });
  }

  for (const text of ["", "total", "total like 3", "total  gte 3", ">= 3"]) {
    test(`refuses ${JSON.stringify(text)} and says what it could be`, () => {
      assert.throws(() => whereArgument(text), /field operator value.*eq, ne, gt/);
    });
  }

  test("may be given more than once, also for one field and operator", () => {
    const conditions = ["n ne 1", "n ne 2", "m eq 3"].reduce<ReturnType<typeof whereArgument>>(
      (before, text) => whereArgument(text, before),
      [],
    );
    assert.deepEqual(whereQuery(conditions), { "where[n][ne]": ["1", "2"], "where[m][eq]": ["3"] });
  });
});

describe("--from and --to", () => {
  test("take a time, a date, now and an age", () => {
    assert.equal(timeArgument("2026-11-16T06:00:00+02:00"), "2026-11-16T04:00:00.000Z");
    assert.equal(timeArgument("2026-11-16"), "2026-11-16T00:00:00.000Z");
    for (const [text, millis] of [
      ["now", 0],
      ["90s", 90_000],
      ["15m", 900_000],
      ["2h", 7_200_000],
      ["7d", 604_800_000],
    ] as const) {
      const age = Date.now() - Date.parse(timeArgument(text));
      assert.ok(age >= millis && age < millis + 5_000, text);
    }
  });

  for (const text of ["", "yesterday", "2026-13-01", "2026-11-16T06:00:00", "5", "-5m", "5 m", "16.11.2026"]) {
    test(`refuse ${JSON.stringify(text)}`, () => {
      assert.throws(() => timeArgument(text), /It must be a time like/);
    });
  }
});

test("a whole number is one, within its range", () => {
  const parse = wholeNumber(1, 64);
  assert.equal(parse("64"), 64);
  for (const text of ["0", "65", "1.5", "", "0x10", "1e1", "-1", " 1"])
    assert.throws(() => parse(text), /from 1 to 64/);
});
