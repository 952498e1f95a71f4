import { EventPulseError } from "../../model/error.ts";
import type { Issue } from "../../model/issue.ts";
import type { IssueLog, IssueQuery, UnnoticedIssue } from "../../ports/issue-log.ts";
import { appendAudit } from "./audit-log.ts";
import { hourMillis, type IssueHour, issueItem, noticePlaces, type StoredIssue, toIssue } from "./issue-items.ts";
import { entityOf, keyText } from "./item.ts";
import { itemKeys, listKeys, timeOfText } from "./item-keys.ts";
import { listPage } from "./list-page.ts";
import { writeNotifications } from "./notification-items.ts";
import type { Table } from "./table.ts";
import { transaction, type UnitOfWork } from "./unit-of-work.ts";

/** Issues in the table: one item each, whatever the number of failures. */
export function dynamoIssueLog(table: Table): IssueLog {
  return {
    query(query) {
      const row = (issue: StoredIssue) => (fits(issue, query) ? toIssue(issue) : null);
      const partitions = [listKeys.issues(query.tenant)];
      return listPage({ kind: "issues", table, index: "g1", partitions, row: (item) => row(entityOf(item)) }, query);
    },
    async get(tenant, id) {
      const item = await table.get(itemKeys.issue(tenant, id));
      return item && toIssue(entityOf<StoredIssue>(item));
    },
    async trend(tenant, id, since) {
      const hours: { time: number; count: number }[] = [];
      if ((await table.get(itemKeys.issue(tenant, id))) === null) return { hours };
      const { pk: partition, sk: from } = itemKeys.issueHour(tenant, id, Math.floor(since / hourMillis) * hourMillis);
      for await (const item of table.queryAll({ index: null, partition, from, to: "H#~" })) {
        hours.push({ time: timeOfText(item.sk.slice(2)), count: entityOf<IssueHour>(item).count });
      }
      return { hours };
    },
    async change(tenant, id, version, change, audit) {
      return transaction(table, async (unit) => {
        const issue = await findIssue(unit, tenant, id);
        if (issue === null) return null;
        if (version !== null && version !== issue.version) {
          throw new EventPulseError(
            "ETAG_STALE",
            `Issue ${id} is at version ${issue.version}, not ${version}: read it again, then repeat the change.`,
          );
        }
        const changed: StoredIssue = {
          ...issue,
          ...change,
          version: issue.version + 1,
          unnoticed: issue.unnoticed || (change.state ?? issue.state) !== issue.state,
        };
        unit.put(issueItem(changed));
        await appendAudit(unit, audit);
        return toIssue(changed);
      });
    },
    async unnoticed(quietBefore, max) {
      const issues = await placed(table, noticePlaces.unnoticed, max);
      if (issues.length < max) issues.push(...(await placed(table, noticePlaces.quiet(quietBefore), max)));
      const isDue = ({ unnoticed, notice, lastSeenAt }: StoredIssue) =>
        unnoticed || (notice !== null && notice.kind !== "stopped" && lastSeenAt < quietBefore);
      return issues
        .filter(isDue)
        .slice(0, max)
        .map((issue): UnnoticedIssue => ({ issue: toIssue(issue), notice: issue.notice }));
    },
    async settleNotice(issue, notice, notifications) {
      await transaction(table, async (unit) => {
        const stored = await findIssue(unit, issue.tenant, issue.id);
        if (stored !== null) unit.put(issueItem({ ...stored, notice, unnoticed: hasChanged(stored, issue) }));
        await writeNotifications(unit, notifications, table.clock());
      });
    },
  };
}

async function findIssue(unit: UnitOfWork, tenant: string, id: string): Promise<StoredIssue | null> {
  const item = await unit.load(itemKeys.issue(tenant, id));
  return item && entityOf<StoredIssue>(item);
}

/** The issues in a range of the list of those that may ask for a notice, as they are now: the list follows the table. */
async function placed(
  table: Table,
  range: { readonly from: string; readonly to: string },
  max: number,
): Promise<StoredIssue[]> {
  const { items } = await table.query({ index: "g2", partition: listKeys.issuesUnnoticed, ...range, limit: max });
  const found = await table.getAll(items);
  return items.flatMap((item) => {
    const now = found.get(keyText(item));
    return now === undefined ? [] : [entityOf<StoredIssue>(now)];
  });
}

function fits(issue: Issue, { stream, state, code }: IssueQuery): boolean {
  return (
    (stream === null || issue.stream === stream) &&
    (state === null || issue.state === state) &&
    (code === null || issue.code === code)
  );
}

function hasChanged(stored: Issue, read: Issue): boolean {
  return (
    stored.version !== read.version ||
    stored.total !== read.total ||
    stored.lastSeenAt !== read.lastSeenAt ||
    stored.exampleId !== read.exampleId
  );
}
