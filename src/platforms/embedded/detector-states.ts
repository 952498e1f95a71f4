import type { DetectorState, StoredDetectorState } from "../../model/anomaly.ts";
import { EventPulseError } from "../../model/error.ts";
import type { Database } from "./database.ts";

/** Stores the new state of each detector, version + 1. Throws STATE_STALE when one has another version than it was computed from. */
export function writeDetectorStates(database: Database, tenant: string, states: readonly DetectorState[]): void {
  for (const { rule, key, version, stateJson, dueAt = null } of states) {
    const changed =
      version === 0
        ? database.run(
            "INSERT INTO detector_states VALUES (?, ?, ?, 1, ?, ?) ON CONFLICT DO NOTHING",
            tenant,
            rule,
            key,
            stateJson,
            dueAt,
          )
        : database.run(
            `UPDATE detector_states SET version = version + 1, state = ?, due_at = ?
               WHERE tenant = ? AND rule = ? AND key = ? AND version = ?`,
            stateJson,
            dueAt,
            tenant,
            rule,
            key,
            version,
          );
    if (changed === 0) {
      throw new EventPulseError(
        "STATE_STALE",
        `The state of rule ${rule} is no longer at version ${version}: load it again and process the object again.`,
      );
    }
  }
}

/** The states asked for, in the same order; version 0 and "null" for those that have none, each with its false positives. */
export function readDetectorStates(
  database: Database,
  tenant: string,
  keys: readonly { readonly rule: string; readonly key: string }[],
): StoredDetectorState[] {
  return keys.map(({ rule, key }) => {
    const row = database.get<{ version: number; state: string }>(
      "SELECT version, state FROM detector_states WHERE tenant = ? AND rule = ? AND key = ?",
      tenant,
      rule,
      key,
    );
    const falsePositives = readFalsePositives(database, tenant, rule, key);
    return { rule, key, version: row?.version ?? 0, stateJson: row?.state ?? "null", falsePositives };
  });
}

/** How many anomalies of a rule and key people call false positives. */
export function readFalsePositives(database: Database, tenant: string, rule: string, key: string): number {
  const sql = "SELECT count FROM false_positives WHERE tenant = ? AND rule = ? AND key = ?";
  return database.get<{ count: number }>(sql, tenant, rule, key)?.count ?? 0;
}

export function writeFalsePositives(
  database: Database,
  tenant: string,
  rule: string,
  key: string,
  count: number,
): void {
  const sql = "INSERT INTO false_positives VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = excluded.count";
  database.run(sql, tenant, rule, key, count);
}
