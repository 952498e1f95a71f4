import { randomUUID } from "node:crypto";
import { PutBucketNotificationConfigurationCommand, type S3Client } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { emulator } from "./aws-services.ts";

/** The way that S3's events take to a queue of its own: EventBridge, a rule, SQS. */
export async function objectEvents(s3: S3Client, bucket: string) {
  const sqs = new SQSClient(emulator());
  const name = `events-${randomUUID()}`;
  const { QueueUrl: queueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes: attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["QueueArn"] }),
  );
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    }),
  );
  const pattern = { source: ["aws.s3"], "detail-type": ["Object Created"], detail: { bucket: { name: [bucket] } } };
  await eventBridge("PutRule", { Name: name, EventPattern: JSON.stringify(pattern) });
  await eventBridge("PutTargets", { Rule: name, Targets: [{ Id: "queue", Arn: attributes?.["QueueArn"] }] });
  return {
    queueUrl: queueUrl ?? "",
    /** Bodies of all messages that are there now. */
    async take(): Promise<readonly string[]> {
      const bodies: string[] = [];
      for (;;) {
        const { Messages: messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
        );
        if (messages.length === 0) return bodies;
        bodies.push(...messages.map(({ Body: body = "" }) => body));
        const entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
        await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
      }
    },
    async remove() {
      await eventBridge("RemoveTargets", { Rule: name, Ids: ["queue"] });
      await eventBridge("DeleteRule", { Name: name });
      await sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
      sqs.destroy();
    },
  };
}

/** The product calls nothing of EventBridge, so there is no client of it here. The emulator checks no signature. */
async function eventBridge(operation: string, input: object): Promise<void> {
  const { endpoint, region } = emulator();
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AWSEvents.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/events/aws4_request, SignedHeaders=host, Signature=00`,
    },
    body: JSON.stringify(input),
  });
  if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${await answer.text()}`);
}
