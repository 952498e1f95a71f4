import assert from "node:assert/strict";
import { test } from "node:test";
import { appendAudit, dynamoAuditLog } from "../../../src/platforms/aws/audit-log.ts";
import { transaction } from "../../../src/platforms/aws/unit-of-work.ts";
import {
  type AuditLogHarness,
  anyEntry,
  auditDraft,
  auditLogContract,
  auditProblems,
} from "../../contracts/audit-log.ts";
import { noon } from "../../contracts/outcome-samples.ts";
import { testTable } from "./aws-services.ts";

auditLogContract(auditHarness);

test("chains several entries of one unit, and keeps none of a unit that fails", async () => {
  const { table, remove } = await testTable(() => noon);
  try {
    const audit = dynamoAuditLog(table);
    await audit.append(auditDraft());
    await transaction(table, async (unit) => {
      for (const target of ["fail_2", "fail_3"]) await appendAudit(unit, auditDraft({ target }));
    });
    const failed = transaction(table, async (unit) => {
      await appendAudit(unit, auditDraft({ target: "fail_4" }));
      throw new Error("changed my mind");
    });
    await assert.rejects(failed, { message: "changed my mind" });
    const { rows } = await audit.query(anyEntry);
    assert.deepEqual(
      rows.map(({ target }) => target),
      ["fail_1", "fail_2", "fail_3"],
    );
    assert.deepEqual(auditProblems(rows), []);
  } finally {
    await remove();
  }
});

/** Two logs over one table: as two functions have them. What a process knows is only in the table, so a restart is a new log. */
async function auditHarness(): Promise<AuditLogHarness> {
  let now = noon;
  const { table, remove } = await testTable(() => now);
  return {
    audit: dynamoAuditLog(table),
    other: dynamoAuditLog(table),
    now: () => now,
    async wait(millis) {
      now += millis;
    },
    async settle() {},
    restart: async () => dynamoAuditLog(table),
    close: remove,
  };
}
