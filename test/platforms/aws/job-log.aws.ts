import { dynamoJobLog } from "../../../src/platforms/aws/job-log.ts";
import { Outbox } from "../../../src/platforms/aws/outbox.ts";
import { jobLogContract } from "../../contracts/job-log.ts";
import type { JobLogHarness } from "../../contracts/job-log-harness.ts";
import { awsStores } from "./aws-stores.ts";
import { clockedQueue } from "./clocked-queue.ts";

jobLogContract(jobHarness);

/** A restart is a new log over the same table: what a process knows is only there. */
async function jobHarness(): Promise<JobLogHarness> {
  const { table, records, failures, audit, now, settle, close, wait } = await awsStores();
  const queue = clockedQueue(now);
  const open = () => dynamoJobLog(table, { outbox: new Outbox(table, queue) });
  return {
    jobs: open(),
    records,
    failures,
    audit,
    queue,
    now,
    wait,
    settle,
    restart: async () => open(),
    close,
  };
}
