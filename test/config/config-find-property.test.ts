import assert from "node:assert/strict";
import { test } from "node:test";
import { findProperty } from "../../src/config/find-property.ts";

const source = `import x from "y";
const a = make(first, /* { late: 1 } */ {
  // late: a comment
  text: "late: { in a text",
  template: \`\${call({ late: 1 })} late:\`,
  pattern: /["{]late:/.test("x"),
  nested: [{ late: 1 }],
  divided: 4 / 2 / 1,
  run(late) { return { late }; },
  faults: {
    "late": 2,
    spike: 3,
  },
  late,
  'quoted name' : 1,
});
const b = make({ other: 1 });
`;

test("finds a property by its path, past comments, texts, templates, patterns and methods", () => {
  const at = (path: readonly string[]) => findProperty(source, { line: 2, column: 11 }, path);
  assert.equal(at([]), 2);
  assert.equal(at(["text"]), 4);
  assert.equal(at(["faults"]), 10);
  assert.equal(at(["faults", "late"]), 11);
  assert.equal(at(["faults", "spike"]), 12);
  assert.equal(at(["late"]), 14);
  assert.equal(at(["quoted name"]), 15);
});

test("falls back to what it finds: the outer property, or the call", () => {
  const at = (path: readonly string[]) => findProperty(source, { line: 2, column: 11 }, path);
  assert.equal(at(["other"]), 2);
  assert.equal(at(["faults", "other"]), 10);
  assert.equal(at(["late", "deeper"]), 14);
  assert.equal(findProperty("make(options)", { line: 1, column: 1 }, ["x"]), 1);
  assert.equal(findProperty("", { line: 9, column: 4 }, ["x"]), 9);
});

test("ends on source text that does not close what it opens", () => {
  for (const broken of ["make({ a: 'b", "make({ a: `${", "make({ a: /[", "make({ a: (", "make({", "make({ a /* "]) {
    assert.equal(findProperty(broken, { line: 1, column: 1 }, ["z"]), 1);
  }
});
