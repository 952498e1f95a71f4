import type { LambdaBundle } from "./lambda-bundle.ts";
import { messageBatch } from "./message-batch.ts";
import { OutcomeWorker } from "./outcome-worker.ts";
import { openStage, recordContracts } from "./stage.ts";

/** Turns raw objects that S3 tells of, and work that is due, into their outcomes. */
export function lambdaHandler(bundle: LambdaBundle) {
  const stage = openStage(bundle);
  const worker = new OutcomeWorker(stage);
  const noteContracts = recordContracts(stage);
  return messageBatch({
    telemetry: stage.telemetry,
    failed: "MessagesFailed",
    random: Math.random,
    async take(task, receives) {
      await noteContracts();
      await worker.do(task, receives);
    },
  });
}
