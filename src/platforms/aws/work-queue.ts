import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  MessageNotInflight,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { assert, EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { Work, WorkMessage, WorkQueue } from "../../ports/work-queue.ts";
import { type DelayedWork, delaySecondsMax, type Outbox, type WorkSender } from "./outbox.ts";
import { type Clock, chunks, inParallel } from "./table.ts";

export interface WorkQueueOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  /** Where the queue's redrive policy moves what was received `limits.attemptsMax` times. */
  readonly deadQueueUrl: string;
  /** Keeps what is due later than SQS can hold it back. Left out: such a delay is a mistake of the caller. */
  readonly outbox?: Pick<Outbox, "keep">;
  readonly clock: Clock;
  /** 0 to 20: how long a call waits for a message when there is none. Default 1, in which SQS asks all of its servers. */
  readonly waitSeconds?: number;
}

/** Messages of one call. */
const batchMax = 10;
/** Rounds for what a batch left out, which the SDK does not send again. */
const sendRoundsMax = 4;
/** SQS hides a message for at most 12 hours from its receipt, so an hour is left for what was done since. */
const visibilitySecondsMax = 11 * 60 * 60;

/**
 * Work as messages of an SQS standard queue. How long a received message stays invisible, and that one which was received
 * `limits.attemptsMax` times moves to the dead queue, are attributes of the queue itself (`infra/`).
 */
export function sqsWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { client, queueUrl, deadQueueUrl, outbox, clock } = options;
  const sender = sqsSender(client, queueUrl);
  return {
    async enqueue(work, delayMillis = 0) {
      const delaySeconds = Math.ceil(delayMillis / 1000);
      if (delaySeconds > delaySecondsMax) {
        assert(outbox !== undefined, "a queue for long delays has an outbox");
        return outbox.keep(work, clock() + delayMillis);
      }
      await sender.send(work.map((one) => ({ work: one, delaySeconds })));
    },
    async receive(max) {
      return (await receiveFrom(options, queueUrl, max)).map(workMessage);
    },
    async acknowledge({ receipt }) {
      await acknowledge(client, receipt.startsWith(deadMark) ? deadQueueUrl : queueUrl, receipt);
    },
    async fail({ work, receives, receipt }, delayMillis) {
      if (receives < limits.attemptsMax) {
        await hide(client, queueUrl, receipt, Math.min(Math.ceil(delayMillis / 1000), visibilitySecondsMax));
        return "again";
      }
      // Moved by hand: SQS itself moves it only when somebody asks for it once more. A crash between the two makes it a
      // dead letter twice, which the failure log takes as one.
      await sqsSender(client, deadQueueUrl).send([{ work, delaySeconds: 0 }]);
      await acknowledge(client, queueUrl, receipt);
      return "dead";
    },
    async deadLetters(max) {
      const messages = await receiveFrom(options, deadQueueUrl, max);
      return messages.map(workMessage).map((message) => ({ ...message, receipt: deadMark + message.receipt }));
    },
  };
}

/** Receipts of dead letters, so that an acknowledgement finds their queue. SQS's own are Base64, which has no ":". */
const deadMark = "dead:";

/** Sends work in batches of 10, those that SQS did not take again. Throws TOO_BUSY when some are left after that. */
export function sqsSender(client: SQSClient, queueUrl: string): WorkSender {
  return {
    async send(works) {
      await inParallel(chunks(works, batchMax), (batch) => sendBatch(client, queueUrl, batch));
    },
  };
}

async function sendBatch(client: SQSClient, queueUrl: string, batch: readonly DelayedWork[]): Promise<void> {
  let left = batch.map(({ work, delaySeconds }, index) => ({
    Id: String(index),
    // The two characters that JSON leaves as they are and SQS refuses.
    MessageBody: JSON.stringify(work).replaceAll("\ufffe", "\\ufffe").replaceAll("\uffff", "\\uffff"),
    DelaySeconds: delaySeconds,
  }));
  // Not a retry of a failed call, which the SDK makes: this one went well and names what it left out.
  for (let round = 1; left.length > 0; round++) {
    const { Failed: failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: left }),
    );
    const ids = new Set(failed.map(({ Id: id }) => id));
    left = left.filter(({ Id: id }) => ids.has(id));
    if (left.length > 0 && (round === sendRoundsMax || failed.some(({ SenderFault: fault }) => fault === true))) {
      throw new EventPulseError("TOO_BUSY", `The work queue did not take ${left.length} messages; try again.`, {
        cause: new Error(failed[0]?.Message ?? failed[0]?.Code ?? "no reason given"),
      });
    }
  }
}

async function receiveFrom(
  { client, waitSeconds = 1 }: WorkQueueOptions,
  queueUrl: string,
  max: number,
): Promise<readonly Message[]> {
  assert(max >= 1 && max <= batchMax, "between 1 and 10 messages are asked for");
  const { Messages: messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: max,
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ["ApproximateReceiveCount"],
    }),
  );
  return messages;
}

function workMessage(message: Message): WorkMessage {
  const { MessageId: id, Body: body, ReceiptHandle: receipt, Attributes: attributes } = message;
  assert(id !== undefined && body !== undefined && receipt !== undefined, "SQS gives a message with all its parts");
  return { id, work: JSON.parse(body) as Work, receives: Number(attributes?.ApproximateReceiveCount ?? 1), receipt };
}

/** Nothing to do for a receipt that is not the latest: the message is with somebody else, or gone. */
async function acknowledge(client: SQSClient, queueUrl: string, receipt: string): Promise<void> {
  const handle = receipt.replace(deadMark, "");
  await unlessOld(client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: handle })));
}

async function hide(client: SQSClient, queueUrl: string, receipt: string, seconds: number): Promise<void> {
  await unlessOld(
    client.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt, VisibilityTimeout: seconds }),
    ),
  );
}

async function unlessOld(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    const { name, message } = error as Error;
    // What SQS says of a receipt that was one, but is not the latest.
    const expired = name === "InvalidParameterValue" && message.includes("ReceiptHandle");
    const old = expired || error instanceof MessageNotInflight || error instanceof ReceiptHandleIsInvalid;
    if (!old) throw error;
  }
}
