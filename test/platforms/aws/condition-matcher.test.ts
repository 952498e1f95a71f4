import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type Condition, conditionOperators } from "../../../src/model/page.ts";
import { conditionMatcher } from "../../../src/platforms/aws/condition-matcher.ts";
import { conditionSql, conditionTerms } from "../../../src/platforms/embedded/record-query.ts";

const values = [
  null,
  true,
  false,
  0,
  -1,
  5,
  10,
  1.5,
  -0.25,
  2 ** 53 - 1,
  "",
  "5",
  "true",
  "b",
  "é",
  "\u{1f600}",
  "\uffee",
  [5],
  [],
  {},
  { w: 5 },
  { w: { x: "5" } },
  { "v.w": 1 },
];
const texts = values.flatMap((value) => [typeof value === "string" ? value : JSON.stringify(value)]);
const asked = [
  ...texts,
  "5.0",
  "1e1",
  "-0",
  "9007199254740992",
  "9007199254740990",
  "99999999999999999999",
  " 5",
  "0x5",
];

test("answers as SQL does on the other platform, for every operator, value and path", () => {
  const database = new DatabaseSync(":memory:");
  const documents = [{}, ...values.map((v) => ({ v })), [1], "v", null].map((data) => JSON.stringify(data));
  for (const operator of conditionOperators) {
    for (const value of asked) {
      for (const field of ["v", "v.w", "v.w.x", "v.0", "", "v.", "constructor", "__proto__"]) {
        const condition: Condition = { field, operator, value };
        const matches = conditionMatcher([condition]);
        const { path, text, number } = conditionTerms(condition);
        const sql = conditionSql(condition, { path: "?1", text: "?2", number: "?3" });
        const statement = database.prepare(
          `SELECT CASE WHEN ${sql} THEN 1 ELSE 0 END AS holds FROM (SELECT ?4 AS data, ?2, ?3)`,
        );
        for (const data of documents) {
          const holds = statement.get(path, text, number, data)?.["holds"] === 1;
          assert.equal(matches(data), holds, `${field} ${operator} ${value} of ${data}`);
        }
      }
    }
  }
  database.close();
});

test("needs all conditions to hold, and holds without any", () => {
  const conditions: Condition[] = [
    { field: "a", operator: "gt", value: "1" },
    { field: "b", operator: "eq", value: "x" },
  ];
  assert.equal(conditionMatcher(conditions)('{"a":2,"b":"x"}'), true);
  assert.equal(conditionMatcher(conditions)('{"a":2,"b":"y"}'), false);
  assert.equal(conditionMatcher([])("{}"), true);
});

test("takes integers that a double would round for what they are", () => {
  const holds = conditionMatcher([{ field: "v", operator: "eq", value: "9007199254740993" }]);
  assert.equal(holds('{"v":9007199254740992}'), false);
});
