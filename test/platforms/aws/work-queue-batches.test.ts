import assert from "node:assert/strict";
import { test } from "node:test";
import { type SendMessageBatchCommandInput, SQSClient } from "@aws-sdk/client-sqs";
import { sqsSender, sqsWorkQueue } from "../../../src/platforms/aws/work-queue.ts";
import type { Work } from "../../../src/ports/work-queue.ts";

const url = "https://sqs.us-east-1.amazonaws.com/123456789012/work";
const work = (attempt: number): Work => ({ kind: "failure", tenant: "t", stream: "s", failureId: "fail_1", attempt });
const works = (count: number) => Array.from({ length: count }, (_, attempt) => work(attempt));
const delayed = (list: readonly Work[]) => list.map((one) => ({ work: one, delaySeconds: 0 }));

/** A client whose calls end before they leave: `fails` says which entries of the nth call SQS leaves out. */
function clientThat(fails: (call: number, id: string) => boolean, senderFault = false) {
  const calls: number[] = [];
  const taken: Work[] = [];
  const client = new SQSClient({ region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } });
  client.middlewareStack.add(
    () => async (args) => {
      const { Entries: entries = [] } = args.input as SendMessageBatchCommandInput;
      calls.push(entries.length);
      const failed = entries.filter(({ Id: id = "" }) => fails(calls.length, id));
      for (const entry of entries) if (!failed.includes(entry)) taken.push(JSON.parse(entry.MessageBody ?? "") as Work);
      const error = { SenderFault: senderFault, Code: "InternalError", Message: "not now" };
      const output = { $metadata: {}, Failed: failed.map(({ Id }) => ({ Id, ...error })) };
      return { output, response: {} };
    },
    { step: "initialize" },
  );
  return { client, calls, taken };
}

test("sends again what a batch left out, and nothing else", async () => {
  const { client, calls, taken } = clientThat((call, id) => call === 1 && Number(id) >= 7);
  await sqsSender(client, url).send(delayed(works(10)));
  assert.deepEqual(calls, [10, 3]);
  assert.deepEqual(taken, works(10));
});

test("throws TOO_BUSY when a message is left out again and again", async () => {
  const { client, calls, taken } = clientThat((_, id) => id === "4");
  await assert.rejects(sqsSender(client, url).send(delayed(works(10))), { code: "TOO_BUSY" });
  assert.deepEqual(calls, [10, 1, 1, 1]);
  assert.equal(taken.length, 9);
});

test("does not send again what SQS says is the sender's fault", async () => {
  const { client, calls } = clientThat((_, id) => id === "0", true);
  await assert.rejects(sqsSender(client, url).send(delayed(works(1))), { code: "TOO_BUSY" });
  assert.deepEqual(calls, [1]);
});

test("sends in batches of 10, and what JSON leaves as it is and SQS refuses as escapes", async () => {
  const { client, calls, taken } = clientThat(() => false);
  const odd: Work = { kind: "failure", tenant: "t", stream: "\uffff\ufffe", failureId: "fail_1", attempt: 1 };
  await sqsSender(client, url).send(delayed([...works(20), odd]));
  assert.deepEqual(calls.toSorted(), [1, 10, 10]);
  assert.deepEqual(
    taken.find(({ stream }) => stream !== "s"),
    odd,
  );
});

test("leaves work that is due later than SQS can hold it back to the outbox", async () => {
  const { client, calls } = clientThat(() => false);
  const kept: unknown[] = [];
  const outbox = { keep: async (...given: readonly unknown[]) => void kept.push(given) };
  const queue = sqsWorkQueue({ client, queueUrl: url, deadQueueUrl: url, outbox, clock: () => 1_000 });
  await queue.enqueue(works(1), 900_000);
  await queue.enqueue(works(1), 900_001);
  assert.deepEqual([calls, kept], [[1], [[works(1), 901_001]]]);
});
