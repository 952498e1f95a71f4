import { dynamoFailureLog } from "../failure-log.ts";
import { dynamoJobLog } from "../job-log.ts";
import { jobTrials } from "../job-trials.ts";
import type { Outbox } from "../outbox.ts";
import { dynamoRecordTable } from "../record-table.ts";
import type { Stage, StageObjects } from "./stage.ts";

/** What commits outcomes and steps of jobs, and what it reads. */
export function processPorts({ table }: Stage, { quarantine }: Pick<StageObjects, "quarantine">, outbox: Outbox) {
  const options = { outbox, objects: quarantine };
  return {
    records: dynamoRecordTable(table, options),
    failures: dynamoFailureLog(table, options),
    jobs: dynamoJobLog(table, options),
    trials: jobTrials(table),
  };
}
