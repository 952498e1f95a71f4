import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { limits } from "../../../src/model/limits.ts";
import { sqsWorkQueue } from "../../../src/platforms/aws/work-queue.ts";
import { type WorkQueueHarness, workQueueContract } from "../../contracts/work-queue.ts";
import { emulator } from "./aws-services.ts";
import { onlyLatestReceipts } from "./only-latest-receipts.ts";

workQueueContract(queueHarness);

/** Real time passes here, so it is short. Long enough that what a test receives does not come again before it is done. */
const visibilityTimeoutSeconds = 3;

/** Two clients of one queue and its dead queue, as `infra/` makes them. */
async function queueHarness(): Promise<WorkQueueHarness> {
  const client = new SQSClient(emulator());
  onlyLatestReceipts(client);
  const name = randomUUID();
  const attributes = { VisibilityTimeout: String(visibilityTimeoutSeconds) };
  const deadQueueUrl = await createQueue(client, `${name}-dead`, attributes);
  const { Attributes: dead } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadQueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const redrive = { deadLetterTargetArn: dead?.QueueArn, maxReceiveCount: limits.attemptsMax };
  const queueUrl = await createQueue(client, name, { ...attributes, RedrivePolicy: JSON.stringify(redrive) });
  const open = () => sqsWorkQueue({ client, queueUrl, deadQueueUrl, clock: Date.now, waitSeconds: 0 });
  return {
    queue: open(),
    other: open(),
    visibilityTimeoutSeconds,
    // A little more than asked for: the service counts in its own time.
    wait: (millis) => pause(millis + 250),
    restart: async () => open(),
    async close() {
      for (const QueueUrl of [queueUrl, deadQueueUrl]) await client.send(new DeleteQueueCommand({ QueueUrl }));
      client.destroy();
    },
  };
}

async function createQueue(client: SQSClient, name: string, attributes: Record<string, string>): Promise<string> {
  const { QueueUrl: url } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  return url ?? "";
}
