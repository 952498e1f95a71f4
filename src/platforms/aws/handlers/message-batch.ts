import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import type { LambdaContext } from "./lambda-bundle.ts";
import { type Task, tasksOf } from "./object-event.ts";
import type { MetricName, Telemetry } from "./telemetry.ts";

/** No message is begun with less time than this left: what is under way at the end of a call is cut, and done again. */
const messageMillisMin = 10_000;

/** One message, as the event source mapping of a queue hands it over. */
interface BatchMessage {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
  readonly [other: string]: unknown;
}

export interface MessageBatchEvent {
  readonly Records: BatchMessage[];
}

/** Which messages come again; the others are deleted. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export interface MessageBatchOptions {
  readonly telemetry: Telemetry;
  /** What is counted for each message that fails. */
  readonly failed: MetricName;
  readonly take: (task: Task, receives: number) => Promise<void>;
  /** Between 0 and 1. */
  readonly random: () => number;
}

/**
 * Takes the messages of a batch one after the other. Answers with those that are to come again: what fails alone, comes alone.
 * A message that ends the function brings back the whole batch; so those that came the least often are first, and among the
 * others chance decides, that none of them waits behind it each time.
 */
export function messageBatch({ telemetry, failed, take, random }: MessageBatchOptions) {
  const takeRecord = async (record: BatchMessage, context: LambdaContext): Promise<void> => {
    if (context.getRemainingTimeInMillis() < messageMillisMin) throw new Error("No time is left for this message.");
    const receives = receivesOf(record);
    try {
      for (const task of tasksOf(record.body, Date.now())) await take(task, receives);
    } catch (error) {
      telemetry.count(failed);
      telemetry.error("A message failed and comes again.", error, { messageId: record.messageId, receives });
      throw error;
    }
  };
  return (event: MessageBatchEvent, context: LambdaContext): Promise<BatchAnswer> =>
    telemetry.during(context.awsRequestId, async () => {
      const startedAt = performance.now();
      try {
        const processor = new BatchProcessor(EventType.SQS);
        return await processPartialResponse(
          { Records: inTurn(event.Records, random) },
          (record: BatchMessage) => takeRecord(record, context),
          processor,
          {
            processInParallel: false,
            throwOnFullBatchFailure: false,
          },
        );
      } finally {
        telemetry.count("BatchDuration", performance.now() - startedAt);
      }
    });
}

function inTurn(records: readonly BatchMessage[], random: () => number): BatchMessage[] {
  const turns = records.map((record) => ({ record, receives: receivesOf(record), chance: random() }));
  turns.sort((left, right) => left.receives - right.receives || left.chance - right.chance);
  return turns.map(({ record }) => record);
}

function receivesOf({ attributes }: BatchMessage): number {
  return Number(attributes.ApproximateReceiveCount);
}
