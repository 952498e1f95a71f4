import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LambdaContext } from "../../../src/platforms/aws/handlers/lambda-bundle.ts";
import { messageBatch } from "../../../src/platforms/aws/handlers/message-batch.ts";
import type { Telemetry } from "../../../src/platforms/aws/handlers/telemetry.ts";

const telemetry = {
  count: () => undefined,
  error: () => undefined,
  info: () => undefined,
  during: <Result>(_id: string, work: () => Promise<Result>) => work(),
} as unknown as Telemetry;

function message(jobId: string, receives: number) {
  const work = { kind: "job", tenant: "default", stream: "", jobId, step: 1 };
  return {
    messageId: `message-${jobId}`,
    body: JSON.stringify(work),
    attributes: { ApproximateReceiveCount: String(receives) },
  };
}

function context(remainingMillis: () => number): LambdaContext {
  return { awsRequestId: "request", getRemainingTimeInMillis: remainingMillis } as LambdaContext;
}

/** Runs a batch; answers with what was taken, in turn, and the ids that are to come again. */
async function run(
  messages: ReturnType<typeof message>[],
  bad: readonly string[],
  random: () => number,
  millis = () => 60_000,
) {
  const taken: string[] = [];
  const handler = messageBatch({
    telemetry,
    failed: "MessagesFailed",
    random,
    async take(task) {
      assert.ok(task.kind === "work" && task.work.kind === "job");
      taken.push(task.work.jobId);
      if (bad.includes(task.work.jobId)) throw new Error("bad");
    },
  });
  const { batchItemFailures } = await handler({ Records: messages }, context(millis));
  return { taken, again: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort() };
}

describe("a batch of messages", () => {
  test("what fails comes again, exactly that, also when all of it fails", async () => {
    const messages = ["a", "b", "c"].map((id) => message(id, 1));
    assert.deepEqual((await run(messages, [], Math.random)).again, []);
    assert.deepEqual((await run(messages, ["b"], Math.random)).again, ["message-b"]);
    const all = await run(messages, ["a", "b", "c"], Math.random);
    assert.deepEqual(all.again, ["message-a", "message-b", "message-c"]);
  });

  test("those that came the least often are first, and chance decides among equals", async () => {
    const messages = [message("third", 3), message("second-1", 2), message("second-2", 2), message("first", 1)];
    const draws = [0.1, 0.9, 0.2, 0.5];
    const { taken } = await run(messages, [], () => draws.shift() ?? 0);
    assert.deepEqual(taken, ["first", "second-2", "second-1", "third"]);
  });

  test("no message is begun when too little time is left: it comes again, untouched", async () => {
    let left = 60_000;
    const messages = ["a", "b", "c"].map((id) => message(id, 1));
    const draws = [0.1, 0.2, 0.3];
    const { taken, again } = await run(
      messages,
      [],
      () => draws.shift() ?? 0,
      () => {
        const now = left;
        left -= 30_000;
        return now;
      },
    );
    assert.deepEqual(taken, ["a", "b"]);
    assert.deepEqual(again, ["message-c"]);
  });
});
