import { EventPulseError } from "../../model/error.ts";
import type { IssueLog } from "../../ports/issue-log.ts";
import { insertAudit } from "./audit-log.ts";
import type { Clock, Database } from "./database.ts";
import { findIssue, hourMillis, type IssueRow, issueSelect, toIssue, toNotice } from "./issue-rows.ts";
import { type KeysetList, keysetPage } from "./keyset-page.ts";
import { writeNotifications } from "./notification-log.ts";
import { findStreamNumber } from "./stream-number.ts";

const list: KeysetList = {
  kind: "issues",
  select: issueSelect,
  timeColumn: "issues.last_seen_at",
  idColumn: "issues.id",
};

/** Issues in the embedded database: one row each, whatever the number of failures. Reading works on a reading connection too. */
export function sqliteIssueLog(database: Database, clock: Clock): IssueLog {
  return {
    async query(query) {
      const { tenant, stream, state, code } = query;
      const { rows, next } = keysetPage<IssueRow>(
        database,
        list,
        [
          ["issues.tenant = ?", tenant],
          // No row has the number -1: a stream of which nothing is known has no issues.
          ["issues.stream = ?", stream === null ? null : (findStreamNumber(database, tenant, stream) ?? -1)],
          ["state = ?", state],
          ["code = ?", code],
        ],
        query,
      );
      return { rows: rows.map(toIssue), next };
    },
    async get(tenant, id) {
      const row = findIssue(database, tenant, id);
      return row && toIssue(row);
    },
    async trend(tenant, id, since) {
      const hours = database.all<{ hour: number; count: number }>(
        `SELECT hour, count FROM issue_hours WHERE issue = (SELECT number FROM issues WHERE tenant = ? AND id = ?)
           AND hour >= ? ORDER BY hour`,
        tenant,
        id,
        Math.floor(since / hourMillis),
      );
      return { hours: hours.map(({ hour, count }) => ({ time: hour * hourMillis, count })) };
    },
    async change(tenant, id, version, change, audit) {
      return database.transaction(() => {
        const row = findIssue(database, tenant, id);
        if (row === null) return null;
        if (version !== null && version !== row.version) {
          throw new EventPulseError(
            "ETAG_STALE",
            `Issue ${id} is at version ${row.version}, not ${version}: read it again, then repeat the change.`,
          );
        }
        const { state, owner, note } = { ...row, ...change };
        database.run(
          `UPDATE issues SET state = ?, owner = ?, note = ?, version = version + 1, unnoticed = max(unnoticed, ?)
             WHERE number = ?`,
          state,
          owner,
          note,
          state === row.state ? 0 : 1,
          row.number,
        );
        insertAudit(database, clock, audit);
        const changed = findIssue(database, tenant, id);
        return changed && toIssue(changed);
      });
    },
    async unnoticed(quietBefore, max) {
      const rows = database.all<IssueRow>(
        `${issueSelect} WHERE issues.number IN (SELECT number FROM issues WHERE unnoticed = 1 UNION
           SELECT number FROM issues WHERE last_seen_at < ? AND notice ->> 'kind' <> 'stopped') ORDER BY number LIMIT ?`,
        quietBefore,
        max,
      );
      return rows.map((row) => ({ issue: toIssue(row), notice: toNotice(row) }));
    },
    async settleNotice(issue, notice, notifications) {
      database.transaction(() => {
        const { tenant, id, version, total, lastSeenAt, exampleId } = issue;
        database.run(
          `UPDATE issues SET notice = ?,
             unnoticed = (version, total, last_seen_at, example_id) IS NOT (?, ?, ?, ?) WHERE tenant = ? AND id = ?`,
          notice && JSON.stringify(notice),
          version,
          total,
          lastSeenAt,
          exampleId,
          tenant,
          id,
        );
        writeNotifications(database, notifications, clock());
      });
    },
  };
}
