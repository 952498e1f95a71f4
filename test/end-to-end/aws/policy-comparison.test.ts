import assert from "node:assert/strict";
import { test } from "node:test";
import { comparePolicy } from "./policy-comparison.ts";

const account = { id: "123456789012", region: "eu-central-1" };

test("a call without a permission is missing, a permission without a call is unused", () => {
  const statements = [
    { actions: ["s3:PutObject", "s3:GetObject"], resources: ["arn:aws:s3:::b/raw/*"] },
    { actions: ["s3:ListBucket"], resources: ["arn:aws:s3:::b"] },
    { actions: ["sqs:SendMessage"], resources: ["arn:aws:sqs:eu-central-1:123456789012:work"] },
  ];
  const calls = [
    { action: "s3:PutObject", resource: "b/raw/a/b" },
    { action: "s3:PutObject", resource: "b/raw" },
    { action: "sqs:SendMessage", resource: "http://127.0.0.1:1/123456789012/work" },
    { action: "dynamodb:Query", resource: "t/index/g1" },
  ];
  assert.deepEqual(comparePolicy(calls, statements, account), {
    missing: [
      "s3:PutObject on arn:aws:s3:::b/raw",
      "dynamodb:Query on arn:aws:dynamodb:eu-central-1:123456789012:table/t/index/g1",
    ],
    unused: ["s3:GetObject on arn:aws:s3:::b/raw/*"],
  });
});

test("a copy needs both the writing and the reading", () => {
  const call = [{ action: "s3:PutObject+GetObject", resource: "b/k" }];
  const { missing } = comparePolicy(call, [], account);
  assert.deepEqual(missing, ["s3:PutObject on arn:aws:s3:::b/k", "s3:GetObject on arn:aws:s3:::b/k"]);
});
