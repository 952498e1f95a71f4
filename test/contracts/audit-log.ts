import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AuditDraft, type AuditEntry, auditProblem, auditStart } from "../../src/model/audit.ts";
import type { AuditLog, AuditQuery } from "../../src/ports/audit-log.ts";
import { tenant } from "./outcome-samples.ts";
import { allRows } from "./store-harness.ts";

export interface AuditLogHarness {
  /** Two writers of one empty log. */
  readonly audit: AuditLog;
  readonly other: AuditLog;
  /** The platform's time, milliseconds since 1970. */
  now(): number;
  /** Lets at least this much of the platform's time pass. */
  wait(millis: number): Promise<void>;
  /** Resolves when all that was written can be read. */
  settle(): Promise<void>;
  /** Ends the process that holds the log, without warning, and starts it again. */
  restart(): Promise<AuditLog>;
  close(): Promise<void>;
}

export const anyEntry: AuditQuery = {
  tenant,
  action: null,
  target: null,
  actor: null,
  from: null,
  to: null,
  limit: 100,
  cursor: null,
};

export function auditDraft(change: Partial<AuditDraft> = {}): AuditDraft {
  return {
    tenant,
    actor: "ana",
    action: "failure.edit",
    target: "fail_1",
    reason: "the country was missing",
    hashBefore: "a".repeat(64),
    hashAfter: "b".repeat(64),
    details: { operations: 2, forced: false, recipe: null, name: "naïve" },
    ...change,
  };
}

/** What the chain of entries says about itself, entry by entry; empty when it is whole. */
export function auditProblems(entries: readonly AuditEntry[]): string[] {
  const problems = entries.map((entry, index) => auditProblem(entries[index - 1] ?? null, entry));
  return problems.filter((problem) => problem !== null);
}

/** One test for each sentence of `src/ports/audit-log.ts`. */
export function auditLogContract(create: () => Promise<AuditLogHarness>): void {
  const logged = (body: (harness: AuditLogHarness) => Promise<void>) => async () => {
    const harness = await create();
    try {
      await body(harness);
    } finally {
      await harness.close();
    }
  };
  const entriesOf = (audit: AuditLog, change: Partial<AuditQuery> = {}, limit = 100) =>
    allRows((request) => audit.query({ ...anyEntry, ...change, ...request }), limit);

  describe("audit-log", () => {
    test(
      "gives entries 1, 2, 3, … within a tenant, each with the hash of the one before, and keeps them as they were",
      logged(async ({ audit, now, wait, settle }) => {
        const appended: AuditEntry[] = [];
        for (const change of [{}, { actor: "bo", reason: null, hashBefore: null, hashAfter: null }, { details: {} }]) {
          appended.push(await audit.append(auditDraft(change)));
          await audit.append(auditDraft({ tenant: "rival", actor: "eve" }));
          await wait(1000);
        }
        const [first] = appended;
        assert.deepEqual(
          appended.map(({ sequence }) => sequence),
          [1, 2, 3],
        );
        assert.equal(first?.previousHash, auditStart);
        assert.equal(first !== undefined && first.at <= now() && first.at > now() - 60_000, true);
        await settle();
        const entries = await entriesOf(audit);
        assert.deepEqual(entries, appended);
        assert.deepEqual(auditProblems(entries), []);
        const rival = await entriesOf(audit, { tenant: "rival" });
        assert.deepEqual(
          rival.map(({ sequence, actor }) => [sequence, actor]),
          [1, 2, 3].map((sequence) => [sequence, "eve"]),
        );
        assert.deepEqual(auditProblems(rival), []);
      }),
    );

    test(
      "leaves no gap and no fork when two writers append at once",
      logged(async ({ audit, other, settle }) => {
        const drafts = Array.from({ length: 40 }, (_, number) => auditDraft({ target: `fail_${number}` }));
        await Promise.all(drafts.map((draft, number) => (number % 2 === 0 ? audit : other).append(draft)));
        await settle();
        const entries = await entriesOf(audit);
        assert.deepEqual(
          entries.map(({ sequence }) => sequence),
          drafts.map((_, number) => number + 1),
        );
        assert.equal(new Set(entries.map(({ target }) => target)).size, drafts.length);
        assert.deepEqual(auditProblems(entries), []);
      }),
    );

    test(
      "verifies whatever characters a text holds",
      logged(async ({ audit, settle }) => {
        for (const text of ["\u0000", "\ud800 alone", "é", "e\u0301", "😀", '"\\', "\u2028", ""]) {
          await audit.append(auditDraft({ actor: text, target: text, reason: text, details: { [text]: text } }));
        }
        await settle();
        const entries = await entriesOf(audit);
        assert.equal(entries.length, 8);
        assert.deepEqual(auditProblems(entries), []);
      }),
    );

    test(
      "keeps what was appended over a crash, and goes on behind it",
      logged(async ({ audit, restart, settle }) => {
        const before = await audit.append(auditDraft());
        const restarted = await restart();
        const after = await restarted.append(auditDraft({ action: "payload.view" }));
        await settle();
        assert.deepEqual(await entriesOf(restarted), [before, after]);
        assert.deepEqual(auditProblems([before, after]), []);
      }),
    );

    test(
      "narrows by action, target, actor and time, `from` inclusive and `to` exclusive; ascending, page by page",
      logged(async ({ audit, now, wait, settle }) => {
        const start = now();
        const all: AuditEntry[] = [];
        for (let number = 0; number < 12; number++) {
          const action = number % 2 === 0 ? "failure.edit" : "job.start";
          all.push(
            await audit.append(auditDraft({ action, target: `fail_${number % 3}`, actor: number < 6 ? "ana" : "bo" })),
          );
          await wait(1000);
        }
        await settle();
        const middle = all[4]?.at ?? start;
        const expected: [Partial<AuditQuery>, readonly AuditEntry[]][] = [
          [{}, all],
          [{ action: "job.start" }, all.filter(({ action }) => action === "job.start")],
          [{ target: "fail_2" }, all.filter(({ target }) => target === "fail_2")],
          [{ actor: "bo" }, all.slice(6)],
          [{ from: middle }, all.slice(4)],
          [{ to: middle }, all.slice(0, 4)],
          [{ actor: "ana", action: "failure.edit", from: middle }, all.slice(4, 5)],
          [{ action: "payload.view" }, []],
          [{ tenant: "nobody" }, []],
        ];
        for (const [change, entries] of expected) {
          for (const limit of [1, 5, 12]) assert.deepEqual(await entriesOf(audit, change, limit), entries);
        }
      }),
    );

    test(
      "throws CURSOR_INVALID for a cursor that is none",
      logged(async ({ audit }) => {
        for (const cursor of ["", "x", "WyJhdWRpdCJd", "WyJqb2JzIiwxXQ"]) {
          await assert.rejects(audit.query({ ...anyEntry, cursor }), { code: "CURSOR_INVALID" });
        }
      }),
    );
  });
}
