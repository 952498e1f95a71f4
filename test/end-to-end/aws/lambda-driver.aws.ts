import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { freePort } from "../../../scripts/free-port.ts";
import { emulator } from "../../platforms/aws/aws-services.ts";
import { eventually } from "../running.ts";
import { startApiGateway } from "./api-gateway.ts";
import { pollEventSource } from "./event-source.ts";
import { LambdaFunction } from "./lambda-function.ts";
import { startRecordingProxy } from "./recording-proxy.ts";

const code = `
let calls = 0;
let ticks = 0;
setInterval(() => ticks++, 10);
export const handler = async (event, context) => {
  calls++;
  if (event.Records) {
    console.log(JSON.stringify(event.Records.map(({ body }) => body)));
    if (event.Records.some(({ body }) => body === "crash")) process.exit(1);
    return { batchItemFailures: event.Records.filter(({ body }) => body.startsWith("bad"))
      .map(({ messageId }) => ({ itemIdentifier: messageId })) };
  }
  switch (event.path) {
    case "/crash": process.exit(3);
    case "/throw": throw new Error("no");
    case "/slow": await new Promise((resolve) => setTimeout(resolve, 5000)); break;
    case "/large": return { statusCode: 200, body: "x".repeat(6 * 1024 * 1024) };
  }
  const length = Buffer.from(event.body ?? "", "base64").length;
  const body = JSON.stringify({ calls, ticks, length, node: process.version, left: context.getRemainingTimeInMillis(),
    region: process.env.AWS_REGION, own: process.env.OWN });
  return { statusCode: 200, multiValueHeaders: { "X-Many": ["1", "2"], "WWW-Authenticate": ["Bearer"] }, body };
};
`;

interface Told {
  readonly calls: number;
  readonly ticks: number;
  readonly length: number;
  readonly node: string;
  readonly left: number;
  readonly region: string;
  readonly own: string;
}

describe("the driver that plays AWS for a function", { concurrency: false }, () => {
  let folder: string;
  let url: string;
  let lambda: LambdaFunction;
  let closing: () => Promise<void>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "eventpulse-driver-"));
    await writeFile(join(folder, "index.mjs"), code);
    const deployed = {
      name: "toy",
      functionName: "toy",
      arn: "arn:aws:lambda:us-east-1:123456789012:function:toy",
      timeoutSeconds: 2,
      memoryMegabytes: 256,
      environment: { OWN: "mine" },
      codeFolder: folder,
    };
    const lambdaNode = process.env["EVENTPULSE_TEST_LAMBDA_NODE"] ?? "";
    const options = { lambdaNode, instancesMax: 1, endpoint: "http://127.0.0.1:1", region: "us-east-1" };
    lambda = new LambdaFunction(deployed, options);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const throttle = { rate: 0.001, burst: 14 };
    const gateway = await startApiGateway({ port, stage: "dev", throttle, target: () => lambda });
    closing = gateway.close;
  });
  after(async () => {
    lambda.end();
    await closing();
    await rm(folder, { recursive: true });
  });
  const told = async (path: string, init: RequestInit = {}) => (await (await fetch(url + path, init)).json()) as Told;

  test("a function runs on Lambda's Node, with its environment, warm and frozen between calls", async () => {
    const first = await told("/");
    assert.match(first.node, /^v22\./);
    assert.deepEqual([first.calls, first.region, first.own], [1, "us-east-1", "mine"]);
    assert.ok(first.left > 0 && first.left <= 2_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const second = await told("/");
    assert.equal(second.calls, 2);
    assert.ok(second.ticks - first.ticks < 20, `${second.ticks - first.ticks} timers ran while it was frozen`);
  });

  test("headers and bodies pass as API Gateway passes them", async () => {
    const response = await fetch(url, { method: "POST", body: new Uint8Array([0, 1, 255]) });
    assert.equal(response.headers.get("x-many"), "1, 2");
    assert.equal(response.headers.get("www-authenticate"), null);
    assert.equal(response.headers.get("x-amzn-remapped-www-authenticate"), "Bearer");
    assert.equal(((await response.json()) as Told).length, 3);
  });

  test("a crash, an error, a time out and too large an answer are 502, and the next call starts anew", async () => {
    for (const path of ["/crash", "/throw", "/slow", "/large"]) {
      const response = await fetch(url + path);
      assert.deepEqual(
        [path, response.status, await response.text()],
        [path, 502, '{"message":"Internal server error"}'],
      );
    }
    assert.match(lambda.errors.join("\n"), /ExitError[\s\S]*no[\s\S]*timed out after 2 s[\s\S]*over 6 MB/);
    assert.ok((await told("/")).calls >= 1);
  });

  test("a body over what Lambda takes, and one over what API Gateway takes, is 413; too many requests are 429", async () => {
    const bytes = (megabytes: number) => ({ method: "POST", body: new Uint8Array(megabytes * 1024 * 1024) });
    assert.equal((await told("/", bytes(4))).length, 4 * 1024 * 1024);
    assert.equal((await fetch(url, bytes(5))).status, 413);
    assert.equal((await fetch(url, bytes(11))).status, 413);
    const statuses: number[] = [];
    for (let count = 0; count < 6; count++) statuses.push((await fetch(url)).status);
    assert.ok(statuses.includes(429), statuses.join());
  });

  test("a batch deletes what was processed, and what fails again and again becomes a dead letter", async () => {
    const proxy = await startRecordingProxy({ upstream: { dynamodb: "", other: emulator().endpoint } });
    const sqs = new SQSClient({ ...emulator(), endpoint: proxy.url });
    const create = async (name: string, Attributes: Record<string, string> = {}) => {
      const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
      const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] });
      return { queueUrl: QueueUrl, queueArn: (await sqs.send(asked)).Attributes?.["QueueArn"] ?? "" };
    };
    const dead = await create("toy-dead");
    const redrive = JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: 2 });
    const source = await create("toy", { RedrivePolicy: redrive, VisibilityTimeout: "60" });
    const bodies = ["good", "bad", "good", "bad", "good"];
    const Entries = bodies.map((MessageBody, index) => ({ Id: `m${index}`, MessageBody }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: source.queueUrl, Entries }));
    const mapping = { ...source, region: "us-east-1", batchSize: 10, windowSeconds: 0, reportsItemFailures: true };
    const stop = pollEventSource(sqs, mapping, () => lambda);
    const letters = await eventually(async () => {
      const found: string[] = [];
      const asked = { QueueUrl: dead.queueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 };
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(asked));
      found.push(...Messages.map(({ Body = "" }) => Body));
      assert.equal(found.length, 2);
      return found;
    });
    await stop();
    assert.deepEqual(letters, ["bad", "bad"]);
    assert.deepEqual([...(proxy.calls.get("sqs:DeleteMessage")?.keys() ?? [])], [source.queueUrl]);
    sqs.destroy();
    await proxy.close();
  });
});
