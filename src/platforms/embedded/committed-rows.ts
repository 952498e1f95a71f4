import type { Anomaly } from "../../model/anomaly.ts";
import type { Failure } from "../../model/failure.ts";
import { failureId } from "../../model/identity.ts";
import type { Outcome, OutcomeResult } from "../../model/outcome.ts";
import { recordIdText, type StoredRecord } from "../../model/record.ts";
import type { AnomalyLog } from "../../ports/anomaly-log.ts";
import type { SilenceOutcome } from "../../ports/detector-states.ts";
import type { FailureLog } from "../../ports/failure-log.ts";
import type { RecordTable } from "../../ports/record-table.ts";
import type { Committed } from "./process-messages.ts";

/** Rows of each kind that one commit shows to those of one tenant who watch live; nobody reads more than this a moment. */
const rowsMax = 500;

export interface CommittedPorts {
  readonly records: Pick<RecordTable, "get">;
  readonly failures: Pick<FailureLog, "get">;
  readonly anomalies: Pick<AnomalyLog, "get">;
}

/** What a commit made visible to each tenant, for the live tail. A duplicate is not shown again; a conflict is shown as the failure that it became. */
export async function committedRows(
  ports: CommittedPorts,
  outcomes: readonly Outcome[],
  results: readonly OutcomeResult[],
): Promise<readonly Committed[]> {
  const applied = outcomes.flatMap((outcome, position) => {
    const result = results[position];
    return result?.applied === true ? { outcome, result } : [];
  });
  // What one tenant sees of a commit does not depend on how much of it is another's.
  const byTenant = Map.groupBy(applied, ({ outcome }) => outcome.meta.tenant);
  return Promise.all([...byTenant].map(([tenant, its]) => rowsOf(ports, tenant, its)));
}

/** The anomalies of silences. */
export async function silentRows(
  anomalies: CommittedPorts["anomalies"],
  silences: readonly SilenceOutcome[],
): Promise<readonly Committed[]> {
  return Promise.all(
    silences.map(async ({ tenant, anomalies: drafts }) => {
      const rows = await Promise.all(drafts.slice(0, rowsMax).map(({ id }) => anomalies.get(tenant, id)));
      return { tenant, records: [], failures: [], anomalies: rows.flatMap(present), skipped: new Map() };
    }),
  );
}

interface Applied {
  readonly outcome: Outcome;
  readonly result: OutcomeResult;
}

async function rowsOf(ports: CommittedPorts, tenant: string, applied: readonly Applied[]): Promise<Committed> {
  const records: StoredRecord[] = [];
  const failures: Failure[] = [];
  const anomalies: Anomaly[] = [];
  const skipped = new Map<string, number>();
  for (const { outcome, result } of applied) {
    const { stream } = outcome.meta;
    const skip = () => skipped.set(stream, (skipped.get(stream) ?? 0) + 1);
    const drafts = recordsOf(outcome);
    const conflicts = new Set<string>();
    const allNew = result.stored === new Set(drafts.map(({ rawIndex }) => rawIndex)).size;
    for (const record of drafts) {
      if (records.length >= rowsMax) skip();
      else if (allNew || (await isNew(ports, tenant, record))) records.push(record);
      else conflicts.add(failureId(record.rawKey, record.receivedAt, record.rawIndex));
    }
    // An id is that of a failure only where the record was a conflict, and of none where it was a duplicate.
    for (const id of [...outcome.failures.map((draft) => draft.id), ...conflicts]) {
      if (failures.length >= rowsMax) skip();
      else failures.push(...present(await ports.failures.get(tenant, id)));
    }
    for (const { id } of outcome.anomalies) {
      if (anomalies.length >= rowsMax) skip();
      else anomalies.push(...present(await ports.anomalies.get(tenant, id)));
    }
  }
  return { tenant, records, failures, anomalies, skipped };
}

function recordsOf({ records, meta, rawKey }: Outcome): readonly StoredRecord[] {
  return records.map(({ id, time, eventId, attributesJson, dataJson, index }) => ({
    id: recordIdText(id),
    stream: meta.stream,
    time,
    receivedAt: meta.receivedAt,
    eventId,
    attributesJson,
    dataJson,
    rawKey,
    rawIndex: index,
  }));
}

async function isNew({ records }: CommittedPorts, tenant: string, record: StoredRecord): Promise<boolean> {
  const stored = await records.get(tenant, record.stream, record.id);
  return stored?.rawKey === record.rawKey && stored.rawIndex === record.rawIndex;
}

function present<Row>(row: Row | null): readonly Row[] {
  return row === null ? [] : [row];
}
