import assert from "node:assert/strict";
import { test } from "node:test";
import { awsCalls } from "./aws-call.ts";

const signed = (service: string, headers: Record<string, string> = {}) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=k/20260131/eu-central-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  ...headers,
});
const call = (service: string, method: string, target: string, body: object | string = "", amzTarget?: string) =>
  awsCalls({
    method,
    target,
    headers: signed(service, amzTarget === undefined ? {} : { "x-amz-target": amzTarget }),
    body: typeof body === "string" ? body : JSON.stringify(body),
  }).map(({ action, resource }) => `${action} ${resource}`);

test("a transaction needs the permission of each of its parts, a query that of its index", () => {
  const items = [{ Put: { TableName: "t" } }, { ConditionCheck: { TableName: "t" } }, { Delete: { TableName: "u" } }];
  assert.deepEqual(call("dynamodb", "POST", "/", { TransactItems: items }, "DynamoDB_20120810.TransactWriteItems"), [
    "dynamodb:PutItem t",
    "dynamodb:ConditionCheckItem t",
    "dynamodb:DeleteItem u",
  ]);
  const query = { TableName: "t", IndexName: "g1" };
  assert.deepEqual(call("dynamodb", "POST", "/", query, "DynamoDB_20120810.Query"), ["dynamodb:Query t/index/g1"]);
  const batch = { RequestItems: { t: [] } };
  assert.deepEqual(call("dynamodb", "POST", "/", batch, "DynamoDB_20120810.BatchGetItem"), ["dynamodb:BatchGetItem t"]);
});

test("requests to S3 are named by method, path and query", () => {
  assert.deepEqual(call("s3", "PUT", "/b/raw/a%2520b?x-id=PutObject"), ["s3:PutObject b/raw/a%20b"]);
  assert.deepEqual(call("s3", "HEAD", "/b/k"), ["s3:GetObject b/k"]);
  assert.deepEqual(call("s3", "GET", "/b?list-type=2&prefix=raw"), ["s3:ListBucket b"]);
  assert.deepEqual(call("s3", "POST", "/b/?delete"), ["s3:DeleteObject b"]);
  assert.deepEqual(call("s3", "GET", "/b/k?versionId=1"), ["s3:GetObjectVersion b/k"]);
});

test("queues, topics, secrets and mails are named as IAM names them", () => {
  const queue = { QueueUrl: "http://q" };
  assert.deepEqual(call("sqs", "POST", "/", queue, "AmazonSQS.SendMessageBatch"), ["sqs:SendMessage http://q"]);
  assert.deepEqual(call("sns", "POST", "/", "Action=Publish&TopicArn=arn%3At"), ["sns:Publish arn:t"]);
  const secret = { SecretId: "arn:s" };
  assert.deepEqual(call("secretsmanager", "POST", "/", secret, "secretsmanager.GetSecretValue"), [
    "secretsmanager:GetSecretValue arn:s",
  ]);
  const mail = { FromEmailAddress: "a@example.com", Content: { Raw: { Data: "" } } };
  assert.deepEqual(call("ses", "POST", "/v2/email/outbound-emails", mail), ["ses:SendRawEmail a@example.com"]);
});

test("what is not signed, such as a link that a client uses, is nobody's call", () => {
  assert.deepEqual(awsCalls({ method: "PUT", target: "/b/k?X-Amz-Signature=0", headers: {}, body: "" }), []);
});
