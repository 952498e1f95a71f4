import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SESv2Client } from "@aws-sdk/client-sesv2";
import { SNSClient } from "@aws-sdk/client-sns";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { noticeIssues } from "../../../pipeline/failures/issue-notices.ts";
import { deliverDue } from "../../../pipeline/notify/deliver.ts";
import { outgoing } from "../../../pipeline/notify/outgoing.ts";
import type { Notifier } from "../../../ports/notifier.ts";
import { expireFailures } from "../expire-failures.ts";
import { dynamoIssueLog } from "../issue-log.ts";
import { sesMailer } from "../mailer.ts";
import { dynamoNotificationLog } from "../notification-log.ts";
import { snsNotifier } from "../notifier.ts";
import { readObjectResult } from "../object-marker.ts";
import { sdkOptions } from "../sdk-options.ts";
import { stageSecrets } from "../secrets.ts";
import { optional, required } from "./environment.ts";
import type { LambdaBundle, LambdaContext } from "./lambda-bundle.ts";
import { lookForSilence } from "./look-for-silence.ts";
import { objectMessage } from "./object-event.ts";
import { openObjects, openOutbox, openStage, type Stage } from "./stage.ts";

/** An object that waits for longer than this may have lost its event; processing it twice changes nothing. */
const pendingMillisMax = 15 * 60 * 1000;
/**
 * An item without an object is forgotten after so long: its object was never stored. One that was stored and went missing has
 * come out of its queue as a dead letter by then, and that needs the item to know what was accepted.
 */
const absentMillisMax = 24 * 60 * 60 * 1000;
/** Failures that one call takes out of the counts of their issues. */
const expiredMax = 20_000;
/** A call ends with this much left; the next one comes within a minute. */
const endMillis = 15_000;

/**
 * What nobody asks for and must happen all the same, each minute: hands over work and objects that were left behind, takes expired
 * failures out of the counts, asks detectors what it means that nothing came, decides what owners are told of issues, and delivers what is due. Parts that fail do not keep the others from their turn.
 */
export function lambdaHandler(bundle: LambdaBundle) {
  const stage = openStage(bundle);
  const { table, project, telemetry } = stage;
  const { sqs, outbox } = openOutbox(stage);
  const { objects, pending } = openObjects(stage);
  const [issues, log] = [dynamoIssueLog(table), dynamoNotificationLog(table)];
  const notifier = openNotifier(stage);
  const resend = async (): Promise<void> => {
    for await (const waiting of pending.list(Date.now() - pendingMillisMax)) {
      const { rawKey, at, events } = waiting;
      const isDone = (await readObjectResult(table, rawKey)) !== null;
      const isAbsent = !isDone && (await objects.head(rawKey)) === null;
      // Behind an upload link that nobody has used no event was accepted.
      const isForgotten = isAbsent && (events === 0 || at < Date.now() - absentMillisMax);
      if (isDone || isForgotten) await pending.remove(rawKey);
      else if (!isAbsent) {
        // Noted as new, so that a long queue gets each of its objects once more in a while and not with every sweep.
        await pending.renew(rawKey);
        const MessageBody = objectMessage(rawKey, Date.now());
        await sqs.send(new SendMessageCommand({ QueueUrl: required("rawQueueUrl"), MessageBody }));
      }
    }
  };
  return (_tick: unknown, context: LambdaContext): Promise<void> =>
    telemetry.during(context.awsRequestId, async () => {
      const errors: unknown[] = [];
      const part = (work: () => Promise<unknown>) => work().catch((error: unknown) => errors.push(error));
      await part(() => outbox.sweep());
      await part(resend);
      await part(() => expireFailures(table, Date.now(), expiredMax));
      await part(() => lookForSilence(table, project, pending));
      await part(() => noticeIssues({ issues, project, clock: Date.now }));
      await part(async () => {
        for (let taken = -1; taken !== 0 && context.getRemainingTimeInMillis() > endMillis; ) {
          taken = await deliverDue({ log, notifier: await notifier() });
          telemetry.count("NotificationsDelivered", taken);
        }
      });
      for (const error of errors) telemetry.error("A part of the sweep failed; the next one tries again.", error);
      if (errors.length > 0) throw errors[0];
    });
}

/** The notifier, made with the first notification: the secret is read once. */
function openNotifier({ telemetry }: Stage): () => Promise<Notifier> {
  const from = optional("mailFrom");
  const mailer = from === null ? null : sesMailer({ client: telemetry.traced(new SESv2Client(sdkOptions())), from });
  const client = telemetry.traced(new SNSClient(sdkOptions()));
  const topicArns = { alerts: optional("alertsTopicArn"), failures: optional("failuresTopicArn") };
  let notifier: Promise<Notifier> | null = null;
  const open = async (): Promise<Notifier> => {
    const secrets = telemetry.traced(new SecretsManagerClient(sdkOptions()));
    const { webhookSecret } = await stageSecrets(secrets, required("secretArn"));
    return snsNotifier({ mailer, client, topicArns, outgoing: outgoing({ webhookSecret, clock: Date.now, fetch }) });
  };
  return () => {
    notifier ??= open().catch((error: unknown) => {
      notifier = null;
      throw error;
    });
    return notifier;
  };
}
