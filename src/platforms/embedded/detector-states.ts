import type { DetectorState, StoredDetectorState } from "../../model/anomaly.ts";
import { EventPulseError } from "../../model/error.ts";
import type { DetectorStates, SilenceOutcome } from "../../ports/detector-states.ts";
import { writeAnomalies } from "./anomaly-log.ts";
import type { Clock, Database } from "./database.ts";
import { readFalsePositives } from "./false-positives.ts";
import { writeNotifications } from "./notification-log.ts";
import { streamNumber } from "./stream-number.ts";

/** States that are read at once while the writer waits. */
const dueRowsMax = 500;

/** States of detectors in the embedded database. */
export function sqliteDetectorStates(database: Database, clock: Clock): DetectorStates {
  return {
    async *due(now) {
      for (let after = 0; ; ) {
        const rows = database.all<{ number: number; tenant: string; rule: string; key: string }>(
          `SELECT rowid AS number, tenant, rule, key FROM detector_states
             WHERE due_at <= ? AND rowid > ? ORDER BY rowid LIMIT ?`,
          now,
          after,
          dueRowsMax,
        );
        for (const { tenant, rule, key } of rows) {
          for (const state of readDetectorStates(database, tenant, [{ rule, key }])) yield { tenant, state };
        }
        if (rows.length < dueRowsMax) return;
        after = rows.at(-1)?.number ?? after;
      }
    },
    async commit(outcome) {
      try {
        database.transaction(() => writeSilence(database, outcome, clock()));
        return "committed";
      } catch (error) {
        if (error instanceof EventPulseError && error.code === "STATE_STALE") return "stale";
        throw error;
      }
    },
  };
}

function writeSilence(
  database: Database,
  { tenant, stream, state, anomalies, notifications, expiresAt }: SilenceOutcome,
  now: number,
): void {
  writeDetectorStates(database, tenant, [state]);
  if (anomalies.length > 0) {
    writeAnomalies(database, tenant, streamNumber(database, tenant, stream), anomalies, new Map(), expiresAt);
  }
  writeNotifications(database, notifications, now);
}

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
