import assert from "node:assert/strict";
import { test } from "node:test";
import { planDifferences } from "../../src/cli/stage-check.ts";

const change = (address: string, actions: string[], before: object | null, after: object | null, unknown = {}) => ({
  address,
  change: { actions, before, after, after_unknown: unknown },
});

test("a plan is told by what it would create, change, replace and destroy, with names of attributes and never a value", () => {
  const plan = {
    resource_changes: [
      change("aws_sqs_queue.raw", ["no-op"], { name: "a" }, { name: "a" }),
      change("data.aws_region.here", ["read"], null, {}),
      change(
        "aws_lambda_function.http",
        ["update"],
        { hash: "secret-1", memory: 512 },
        { hash: "secret-2", memory: 1024 },
      ),
      change("aws_s3_bucket.raw", ["create"], null, { bucket: "b" }),
      change("aws_kms_key.main", ["delete"], { id: "k" }, null),
      change("aws_dynamodb_table.main", ["delete", "create"], { name: "x" }, { name: "y" }, { arn: true }),
    ],
  };
  const differences = planDifferences(JSON.stringify(plan));
  assert.deepEqual(differences, [
    "differs: aws_lambda_function.http (hash, memory)",
    "to create: aws_s3_bucket.raw",
    "to destroy: aws_kms_key.main",
    "to replace: aws_dynamodb_table.main (name)",
  ]);
  assert.deepEqual(planDifferences("{}"), []);
});
