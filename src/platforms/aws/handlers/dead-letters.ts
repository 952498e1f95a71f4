import { limits } from "../../../model/limits.ts";
import type { LambdaBundle } from "./lambda-bundle.ts";
import { messageBatch } from "./message-batch.ts";
import { OutcomeWorker } from "./outcome-worker.ts";
import { openStage } from "./stage.ts";

/**
 * The receive that is the last try. SQS counts a message's receives "across all queues" (API of ReceiveMessage): a dead message
 * comes with those that it has died of, `receive_count_max` of infra/queues.tf.
 */
const lastTry = limits.attemptsMax + 1;

/**
 * Drains both dead-letter queues into the failure log. Its messages come one in a call, and each gets one more try: it may have
 * died of another one in its batches. What ends this function or fails here as well is set aside when it comes again. A step of a
 * job is not tried: its job pauses, and somebody resumes it.
 */
export function lambdaHandler(bundle: LambdaBundle) {
  const stage = openStage(bundle);
  const { telemetry } = stage;
  const worker = new OutcomeWorker(stage);
  return messageBatch({
    telemetry,
    failed: "MessagesFailed",
    random: Math.random,
    async take(task, receives) {
      const isStep = task.kind === "work" && task.work.kind === "job";
      if (receives <= lastTry && !isStep) return worker.do(task, receives);
      await worker.giveUp(task, receives);
      telemetry.count("MessagesDead");
    },
  });
}
