import type { LambdaBundle } from "./lambda-bundle.ts";
import { messageBatch } from "./message-batch.ts";
import { OutcomeWorker } from "./outcome-worker.ts";
import { openStage } from "./stage.ts";

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
      if (receives === 1 && !isStep) return worker.do(task, receives);
      await worker.giveUp(task, receives);
      telemetry.count("MessagesDead");
    },
  });
}
