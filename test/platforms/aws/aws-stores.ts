import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { dynamoAnomalyLog } from "../../../src/platforms/aws/anomaly-log.ts";
import { dynamoAuditLog } from "../../../src/platforms/aws/audit-log.ts";
import { readCounters } from "../../../src/platforms/aws/counters.ts";
import { dynamoDetectorStates } from "../../../src/platforms/aws/detector-states.ts";
import { dynamoFailureLog } from "../../../src/platforms/aws/failure-log.ts";
import { dynamoIssueLog } from "../../../src/platforms/aws/issue-log.ts";
import { dynamoJobLog } from "../../../src/platforms/aws/job-log.ts";
import { dynamoNotificationLog } from "../../../src/platforms/aws/notification-log.ts";
import { Outbox } from "../../../src/platforms/aws/outbox.ts";
import { dynamoRecordTable } from "../../../src/platforms/aws/record-table.ts";
import type { Table } from "../../../src/platforms/aws/table.ts";
import { sqsSender, sqsWorkQueue } from "../../../src/platforms/aws/work-queue.ts";
import type { JobLog } from "../../../src/ports/job-log.ts";
import { noon, only } from "../../contracts/outcome-samples.ts";
import type { StoreHarness } from "../../contracts/store-harness.ts";
import { emulator, testTable } from "./aws-services.ts";

export interface AwsStores extends StoreHarness {
  readonly jobs: JobLog;
  readonly table: Table;
  readonly outbox: Outbox;
}

/** Longest real pause for a `wait`: SQS keeps its own time, and the delays of the suites are 2 s. */
const realPauseMax = 2_000;

/** The ports of this platform over an empty table and queue, with a clock that stands still until a test moves it. */
export async function awsStores(): Promise<AwsStores> {
  // Samples are of this day; with the real time they would have expired some day.
  let time = noon + 60_000;
  const clock = () => time;
  const { table, remove } = await testTable(clock);
  const { queue, sender, removeQueue } = await emulatedQueue(clock);
  const outbox = new Outbox(table, sender);
  return {
    table,
    outbox,
    records: dynamoRecordTable(table, { outbox }),
    anomalies: dynamoAnomalyLog(table),
    states: dynamoDetectorStates(table),
    failures: dynamoFailureLog(table, { outbox }),
    issues: dynamoIssueLog(table),
    audit: dynamoAuditLog(table),
    notifications: dynamoNotificationLog(table),
    jobs: dynamoJobLog(table, { outbox }),
    queue,
    counters: async (tenant, stream) => only([...(await readCounters(table, tenant, [stream])).values()]),
    now: clock,
    wait: async (millis) => {
      time += millis;
      await pause(Math.min(millis, realPauseMax));
    },
    settle: async () => {},
    close: async () => {
      await removeQueue();
      await remove();
    },
  };
}

async function emulatedQueue(clock: () => number) {
  const client = new SQSClient(emulator());
  const { QueueUrl: queueUrl = "" } = await client.send(new CreateQueueCommand({ QueueName: randomUUID() }));
  return {
    // No test of the stores looks for dead letters.
    queue: sqsWorkQueue({ client, queueUrl, deadQueueUrl: queueUrl, clock, waitSeconds: 0 }),
    sender: sqsSender(client, queueUrl),
    removeQueue: async () => {
      await client.send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
      client.destroy();
    },
  };
}
