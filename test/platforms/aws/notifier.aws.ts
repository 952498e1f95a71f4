import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Destination } from "../../../src/model/notification.ts";
import { outgoing } from "../../../src/pipeline/notify/outgoing.ts";
import { snsNotifier, subjectOf } from "../../../src/platforms/aws/notifier.ts";
import type { Notifier } from "../../../src/ports/notifier.ts";
import { type NotifierHarness, notification, notifierContract } from "../../contracts/notifier.ts";
import { headersOf } from "../../contracts/read-mail.ts";
import { freeUrl, startReceiver } from "../../contracts/webhook-receiver.ts";
import { emulator } from "./aws-services.ts";
import { mailBox } from "./mail-box.ts";

const webhookSecret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const forms = outgoing({ webhookSecret, clock: Date.now, fetch });
const email: Destination = { kind: "email", address: "ops@example.com" };

notifierContract(create);

async function create(): Promise<NotifierHarness> {
  const [box, receiver, closedUrl] = [await mailBox(), await startReceiver(), await freeUrl()];
  const client = new SNSClient(emulator());
  const webhook = (path: string): Destination => ({ kind: "webhook", url: `${receiver.url}${path}`, secret: null });
  const parts = { client, topicArns: { alerts: null, failures: null }, outgoing: forms };
  return {
    notifier: snsNotifier({ ...parts, mailer: box.mailer }),
    notifierWithoutMail: snsNotifier({ ...parts, mailer: null }),
    email,
    webhook: webhook("/ok"),
    webhookThat: (behaviour) =>
      behaviour === "refuses"
        ? { kind: "webhook", url: closedUrl, secret: null }
        : webhook(behaviour === "hangs" ? "/hangs" : `/status/${behaviour}`),
    mailIds: async () => (await box.received()).map((text) => headersOf(text).get("message-id") ?? ""),
    webhooks: () => receiver.received,
    breakMail: box.breakDown,
    async close() {
      await Promise.all([box.close(), receiver.close()]);
      client.destroy();
    },
  };
}

test("without a sender, a notification with addresses goes to its topic, once", async () => {
  await withTopic(async (notifier, received) => {
    const destinations = [email, { kind: "email", address: "dev@example.com" } as const];
    for (const to of destinations) {
      assert.equal(await notifier.notify({ ...notification, destinations }, to), "delivered");
    }
    const [message, ...others] = await received();
    assert.deepEqual(others, []);
    assert.equal(message?.Subject, "[EventPulse] orders: total out of its band");
    assert.match(message?.Message ?? "", /^The total of order 7 is 9,000/);
    assert.deepEqual(
      Object.fromEntries(Object.entries(message?.MessageAttributes ?? {}).map(([name, { Value }]) => [name, Value])),
      { id: notification.id, tenant: "acme", topic: "anomaly", stream: "orders" },
    );
    await assert.rejects(notifier.notify({ ...notification, topic: "failures" }, email), { code: "DELIVERY_FAILED" });
  });
});

test("a subject is what SNS takes", () => {
  assert.equal(subjectOf("é\r\nx"), "? x");
  assert.equal(subjectOf(""), "EventPulse");
  assert.equal(subjectOf("x".repeat(100)).length, 100);
  assert.equal(subjectOf("x".repeat(101)), `${"x".repeat(97)}...`);
});

interface TopicMessage {
  readonly Subject: string;
  readonly Message: string;
  readonly MessageAttributes: Readonly<Record<string, { readonly Value: string }>>;
}

/** Topics for alerts, with a queue that has subscribed to it, and for failures, which is not there. */
async function withTopic(
  body: (notifier: Notifier, received: () => Promise<readonly TopicMessage[]>) => Promise<void>,
): Promise<void> {
  const [sns, sqs] = [new SNSClient(emulator()), new SQSClient(emulator())];
  const name = `alerts-${randomUUID()}`;
  const { TopicArn: alerts = "" } = await sns.send(new CreateTopicCommand({ Name: name }));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes: attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  await sns.send(new SubscribeCommand({ TopicArn: alerts, Protocol: "sqs", Endpoint: attributes?.["QueueArn"] }));
  const topicArns = { alerts, failures: `${alerts}-gone` };
  const received = async () => {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
    );
    return messages.map(({ Body }) => JSON.parse(Body ?? "") as TopicMessage);
  };
  try {
    await body(snsNotifier({ mailer: null, client: sns, topicArns, outgoing: forms }), received);
  } finally {
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    sns.destroy();
    sqs.destroy();
  }
}
