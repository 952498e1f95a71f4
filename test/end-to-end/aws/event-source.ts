import { setTimeout as pause } from "node:timers/promises";
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { Invocation } from "./function-instance.ts";
import type { LambdaFunction } from "./lambda-function.ts";

/** An event source mapping of SQS, as it was deployed. */
export interface EventSourceMapping {
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly region: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** Whether the function says which messages of a batch have failed (`ReportBatchItemFailures`). */
  readonly reportsItemFailures: boolean;
}

/** What SQS gives to one receive. */
const receiveMax = 10;
/** Between two looks at a queue that was empty while a window is open. */
const emptyMillis = 100;
/** A message comes back this soon after its call has failed. Deployed, that is the queue's visibility timeout, which is minutes. */
const redeliverySeconds = 1;

/**
 * Polls a queue and calls a function with what comes, as Lambda does for an event source mapping of SQS: gathers up to the
 * batch size for as long as the window, deletes what was processed, and leaves what has failed for the queue to deliver again
 * until its redrive policy makes it a dead letter. Messages that `isLost` says so of are gone, as if they had never been sent.
 * Returns what stops it, which resolves when no call is under way.
 */
export function pollEventSource(
  sqs: SQSClient,
  mapping: EventSourceMapping,
  target: () => LambdaFunction,
  isLost: () => boolean = () => false,
): () => Promise<void> {
  const abort = new AbortController();
  const polling = (async () => {
    while (!abort.signal.aborted) {
      const gathered = await gather(sqs, mapping, abort.signal);
      const messages = gathered.filter(() => !isLost());
      const lost = gathered.filter((message) => !messages.includes(message));
      if (lost.length > 0) await settle(sqs, mapping, lost, new Set());
      if (messages.length === 0) continue;
      const event: SQSEvent = { Records: messages.map((message) => recordOf(message, mapping)) };
      const failed = failedIds(await target().invoke(event), messages, mapping);
      await settle(sqs, mapping, messages, failed);
    }
  })();
  return async () => {
    abort.abort();
    await polling;
  };
}

/** The messages of one call; none when nothing came or polling has ended. */
async function gather(sqs: SQSClient, mapping: EventSourceMapping, signal: AbortSignal): Promise<Message[]> {
  const messages: Message[] = [];
  let end = 0;
  while (!signal.aborted && messages.length < mapping.batchSize) {
    const left = messages.length === 0 ? 1_000 : end - Date.now();
    if (left < 0) break;
    const received = await receive(sqs, mapping, Math.min(receiveMax, mapping.batchSize - messages.length), left);
    if (received.length === 0 && messages.length > 0) await pause(emptyMillis);
    if (received.length === 0 && (messages.length === 0 || mapping.windowSeconds === 0)) break;
    if (messages.length === 0) end = Date.now() + mapping.windowSeconds * 1000;
    messages.push(...received);
  }
  return messages;
}

async function receive(sqs: SQSClient, mapping: EventSourceMapping, count: number, millis: number): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: mapping.queueUrl,
      MaxNumberOfMessages: count,
      WaitTimeSeconds: millis >= 1_000 ? 1 : 0,
      MessageSystemAttributeNames: ["All"],
      MessageAttributeNames: ["All"],
    }),
  );
  return Messages;
}

/** Ids of the messages that a call did not process: all when it failed or answered nonsense, none when it answered nothing. */
export function failedIds(
  invocation: Invocation,
  messages: readonly Message[],
  { reportsItemFailures }: Pick<EventSourceMapping, "reportsItemFailures">,
): Set<string> {
  const all = messages.map(({ MessageId = "" }) => MessageId);
  if (invocation.kind === "error") return new Set(all);
  if (!reportsItemFailures) return new Set();
  const failures = (invocation.result as SQSBatchResponse | null)?.batchItemFailures ?? [];
  const ids = failures.map(({ itemIdentifier }) => itemIdentifier);
  // An id that is not of this batch, or none, fails the whole batch.
  return new Set(ids.every((id) => all.includes(id)) ? ids : all);
}

async function settle(
  sqs: SQSClient,
  { queueUrl }: EventSourceMapping,
  messages: readonly Message[],
  failed: ReadonlySet<string>,
): Promise<void> {
  const entries = messages.map(({ MessageId = "", ReceiptHandle = "" }) => ({ Id: MessageId, ReceiptHandle }));
  for (let start = 0; start < entries.length; start += receiveMax) {
    const part = entries.slice(start, start + receiveMax);
    const done = part.filter(({ Id }) => !failed.has(Id));
    const again = part.filter(({ Id }) => failed.has(Id));
    if (done.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: done }));
    if (again.length === 0) continue;
    const entriesAgain = again.map((entry) => ({ ...entry, VisibilityTimeout: redeliverySeconds }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: entriesAgain }));
  }
}

function recordOf(message: Message, { queueArn, region }: EventSourceMapping): SQSRecord {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
    name,
    { stringValue: value.StringValue, dataType: value.DataType, stringListValues: [], binaryListValues: [] },
  ]);
  return {
    messageId: message.MessageId ?? "",
    receiptHandle: message.ReceiptHandle ?? "",
    body: message.Body ?? "",
    attributes: (message.Attributes ?? {}) as unknown as SQSRecord["attributes"],
    messageAttributes: Object.fromEntries(attributes) as SQSRecord["messageAttributes"],
    md5OfBody: message.MD5OfBody ?? "",
    eventSource: "aws:sqs",
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}
