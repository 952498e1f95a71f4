import assert from "node:assert/strict";
import { test } from "node:test";
import { parityTable } from "../../scripts/aws-services/parity-table.ts";

test("a scenario has a column for each platform, and what a platform lacks is said with its reason", () => {
  const [embedded, aws] = ["test/end-to-end/embedded.test.ts", "test/end-to-end/aws.aws.ts"];
  const table = parityTable([
    { file: embedded, path: ["e", "accepting", "a good batch"], passed: true },
    { file: embedded, path: ["e", "watching", "live"], passed: true },
    { file: aws, path: ["a", "accepting", "a good batch"], passed: false },
    { file: aws, path: ["a", "watching", "not on this platform: no streams"], passed: true },
    { file: "test/other.aws.ts", path: ["o"], passed: true },
  ]);
  assert.deepEqual(
    table.split("\n").map((line) => line.replace(/ +/g, " ").trim()),
    [
      "embedded aws",
      "accepting: a good batch passed FAILED",
      "watching: live passed -",
      "watching is not on aws: no streams.",
    ],
  );
});
