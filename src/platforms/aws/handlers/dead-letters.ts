import type { LambdaBundle } from "./lambda-bundle.ts";
import { messageBatch } from "./message-batch.ts";
import { OutcomeWorker } from "./outcome-worker.ts";
import { openStage } from "./stage.ts";

/** Drains both dead-letter queues into the failure log. */
export function lambdaHandler(bundle: LambdaBundle) {
  const stage = openStage(bundle);
  const { telemetry } = stage;
  const worker = new OutcomeWorker(stage);
  return messageBatch({
    telemetry,
    failed: "MessagesFailed",
    async take(task, receives) {
      await worker.giveUp(task, receives);
      telemetry.count("MessagesDead");
    },
  });
}
