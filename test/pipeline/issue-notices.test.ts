import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import type { Project } from "../../src/model/definition.ts";
import type { Issue, IssueNotice, IssueState } from "../../src/model/issue.ts";
import type { NotificationDraft } from "../../src/model/notification.ts";
import {
  issueNotice,
  issueQuietMillis,
  newIssueDelayMillis,
  noticeIssues,
} from "../../src/pipeline/failures/issue-notices.ts";
import type { IssueLog } from "../../src/ports/issue-log.ts";
import { streamOf } from "./stream-of.ts";

const start = Date.UTC(2026, 0, 31, 12);
const dayMillis = 24 * 60 * 60 * 1000;
const orders = streamOf(z.unknown(), { owner: [{ kind: "email", address: "owner@example.com" }] });
const project: Project = {
  ...{
    name: "shop",
    streams: new Map([["orders", orders]]),
    anomalies: [],
    alerts: [],
    sources: [],
    recipes: new Map(),
  },
};

function issueOf(change: Partial<Issue> = {}): Issue {
  return {
    ...{ id: "iss_0011223344556677", tenant: "acme", stream: "orders", fingerprint: "0011223344556677" },
    ...{ class: "invalid", stage: "validate", code: "CONTRACT_BROKEN", pointer: "/items/*/price" },
    ...{ detail: "must be a number, is a string", contractVersion: "a1b2c3d4e5f6", state: "open" },
    ...{ owner: null, note: null, firstSeenAt: start, lastSeenAt: start, total: 1, waiting: 1, recovered: 0 },
    ...{ discarded: 0, exampleId: "fail_0123", version: 1 },
    ...change,
  };
}

/** An issue log in memory with one issue, and time that only the test moves. */
class OneIssue {
  issue = issueOf({ total: 0, waiting: 0 });
  now = start;
  readonly told: NotificationDraft[] = [];
  #notice: IssueNotice | null = null;
  #unnoticed = false;

  readonly #log: Pick<IssueLog, "unnoticed" | "settleNotice"> = {
    unnoticed: async (quietBefore) => {
      const quiet = this.#notice !== null && this.#notice.kind !== "stopped" && this.issue.lastSeenAt <= quietBefore;
      return this.#unnoticed || quiet ? [{ issue: this.issue, notice: this.#notice }] : [];
    },
    settleNotice: async (issue, notice, notifications) => {
      this.#notice = notice;
      this.told.push(...notifications);
      this.#unnoticed = issue !== this.issue;
    },
  };

  fail(count: number): void {
    const { total, waiting, state } = this.issue;
    this.#change({
      ...{ total: total + count, waiting: waiting + count, lastSeenAt: this.now },
      state: state === "resolved" ? "regressed" : state,
    });
  }

  set(state: IssueState): void {
    this.#change({ state });
  }

  #change(change: Partial<Issue>): void {
    this.issue = { ...this.issue, ...change };
    this.#unnoticed = true;
  }

  /** Lets time pass, with a pass every second for the first five and one at its end; answers what was told in it. */
  async wait(millis: number): Promise<string[]> {
    const before = this.told.length;
    const end = this.now + millis;
    for (let second = 0; second < 5 && this.now + 1_000 < end; second++) {
      this.now += 1_000;
      await this.pass();
    }
    this.now = end;
    await this.pass();
    assert.deepEqual((await this.#log.unnoticed(this.now - issueQuietMillis, 1)).length, 0, "all is decided");
    return this.told.slice(before).map(({ data }) => `${data["kind"]} ${data["total"]}`);
  }

  pass(): Promise<number> {
    return noticeIssues({ issues: this.#log, project, clock: () => this.now });
  }
}

describe("the notices of an issue", () => {
  test("a new issue is told once, with the count of what came in its first moment", async () => {
    const log = new OneIssue();
    log.fail(1);
    assert.equal(await log.pass(), 0);
    log.now += newIssueDelayMillis - 1;
    log.fail(7);
    assert.equal(await log.pass(), 0);
    log.now += 1;
    assert.equal(await log.pass(), 1);
    assert.deepEqual(await log.wait(10_000), []);
    log.fail(1);
    assert.deepEqual(await log.wait(10_000), []);
    assert.equal(log.told[0]?.data["total"], 8);
  });

  test("each tenfold is told, and only the highest that was reached since the last notice", async () => {
    const log = new OneIssue();
    const told: string[] = [];
    for (const count of [3, 6, 1, 1, 88, 1, 4_900, 5_000, 90_000]) {
      log.fail(count);
      told.push(...(await log.wait(5_000)));
    }
    assert.deepEqual(told, [
      "new 3",
      "threshold 10",
      "threshold 100",
      "threshold 5000",
      "threshold 10000",
      "threshold 100000",
    ]);
    assert.match(log.told[3]?.subject ?? "", /^orders: 1,000 events have failed/);
  });

  test("a million failures in a row are four notices, and one more when they have stopped", async () => {
    const log = new OneIssue();
    const told: string[] = [];
    for (let total = 0; total < 1_000_000; total += 5_000) {
      log.fail(5_000);
      told.push(...(await log.wait(3_000)));
    }
    told.push(...(await log.wait(issueQuietMillis)));
    assert.deepEqual(told, ["new 5000", "threshold 10000", "threshold 100000", "threshold 1000000", "stopped 1000000"]);
  });

  test("one that has stopped is told once, with what waits, and again only at the next tenfold", async () => {
    const log = new OneIssue();
    log.fail(5);
    assert.deepEqual(await log.wait(issueQuietMillis - 1), ["new 5"]);
    assert.deepEqual(await log.wait(1), ["stopped 5"]);
    assert.match(log.told[1]?.text ?? "", /5 in all, 5 of them wait/);
    log.fail(1);
    assert.deepEqual(await log.wait(3 * issueQuietMillis), []);
    log.fail(4);
    assert.deepEqual(await log.wait(issueQuietMillis), ["threshold 10", "stopped 10"]);
    assert.deepEqual(await log.wait(100 * dayMillis), []);
  });

  test("a single failure that nothing followed is not told to have stopped", async () => {
    const log = new OneIssue();
    log.fail(1);
    assert.deepEqual(await log.wait(2 * issueQuietMillis), ["new 1"]);
    assert.deepEqual(await log.wait(dayMillis), []);
  });

  test("a resolved one is told when it regresses, each time, and also when that happened before anybody looked", async () => {
    const log = new OneIssue();
    log.fail(2);
    assert.deepEqual(await log.wait(5_000), ["new 2"]);
    log.set("resolved");
    assert.deepEqual(await log.wait(2 * issueQuietMillis), []);
    log.fail(1);
    assert.deepEqual(await log.wait(5_000), ["regressed 3"]);
    log.fail(20);
    assert.deepEqual(await log.wait(5_000), ["threshold 23"]);
    log.fail(1);
    assert.deepEqual(await log.wait(5_000), []);
    log.set("open");
    assert.deepEqual(await log.wait(5_000), []);
    log.set("resolved");
    log.fail(1);
    assert.deepEqual(await log.wait(5_000), ["regressed 25"]);
    log.set("resolved");
    assert.deepEqual(await log.wait(5_000), []);
    log.fail(1);
    assert.deepEqual(await log.wait(5_000), ["regressed 26"]);
  });

  test("one that resolved itself before it was told is not told at all", async () => {
    const log = new OneIssue();
    log.fail(3);
    log.set("resolved");
    assert.deepEqual(await log.wait(dayMillis), []);
  });

  test("an ignored one is never told, however often it fails", async () => {
    const log = new OneIssue();
    log.fail(3);
    assert.deepEqual(await log.wait(5_000), ["new 3"]);
    log.set("ignored");
    for (let day = 0; day < 5; day++) {
      log.fail(1_000);
      assert.deepEqual(await log.wait(dayMillis), []);
    }
    log.set("open");
    assert.deepEqual(await log.wait(5_000), [], "what came while it was ignored stays untold");
    log.fail(5_000);
    assert.deepEqual(await log.wait(5_000), ["threshold 10003"]);
  });

  test("an acknowledged one is told at each tenfold, and not that it has stopped", async () => {
    const log = new OneIssue();
    log.fail(3);
    assert.deepEqual(await log.wait(5_000), ["new 3"]);
    log.set("acknowledged");
    log.fail(7);
    assert.deepEqual(await log.wait(dayMillis), ["threshold 10"]);
    log.fail(80);
    assert.deepEqual(await log.wait(dayMillis), []);
    log.fail(10);
    assert.deepEqual(await log.wait(dayMillis), ["threshold 100"]);
  });

  test("what is decided late, after it was over, is told once", async () => {
    const log = new OneIssue();
    log.fail(3);
    log.now += issueQuietMillis;
    assert.equal(await log.pass(), 1);
    assert.deepEqual(await log.wait(dayMillis), []);
    assert.equal(log.told[0]?.data["kind"], "new");
  });
});

describe("a notice of an issue", () => {
  const told = (change: Partial<Issue>, stream: typeof orders | null = orders, notice: IssueNotice | null = null) => {
    const decision = issueNotice({ issue: issueOf(change), notice }, stream, start + 60_000);
    assert.equal(decision?.notifications.length, 1);
    return decision.notifications[0] as NotificationDraft;
  };

  test("says what, how many, why, until when, and what to do next", () => {
    const { id, text, ...rest } = told({ total: 1_200, waiting: 1_199 });
    assert.match(id, /^ntf_[0-9a-f]{24}$/);
    assert.deepEqual(rest, {
      tenant: "acme",
      topic: "failures",
      stream: "orders",
      subject: "orders: 1,200 events set aside (CONTRACT_BROKEN at /items/*/price)",
      data: {
        ...{
          issue: "iss_0011223344556677",
          stream: "orders",
          kind: "new",
          state: "open",
          total: 1_200,
          waiting: 1_199,
        },
        ...{ code: "CONTRACT_BROKEN", pointer: "/items/*/price", exampleId: "fail_0123" },
      },
      destinations: orders.owner,
      group: "failures:orders:iss_0011223344556677",
      cooldownMillis: 0,
      incident: null,
    });
    assert.deepEqual(text.split("\n"), [
      '1,200 events of the stream "orders" could not be processed, for a reason not seen before. You will hear of it again when 10,000 have failed.',
      "",
      "Reason: CONTRACT_BROKEN at /items/*/price: must be a number, is a string",
      "Contract version: a1b2c3d4e5f6",
      "Failures: 1,200 in all, 1,199 of them wait for you, with the bytes as they were sent.",
      "Seen: first 2026-01-31 12:00 UTC, last 2026-01-31 12:00 UTC.",
      "Kept: retention removes the first at about 2026-02-07 12:00 UTC.",
      "",
      "See it: eventpulse issues show iss_0011223344556677",
      "Mend: correct the contract, or edit the events; then replay.",
      "What a replay would do: eventpulse failures replay --issue iss_0011223344556677 --plan",
    ]);
  });

  test("has one id for one decision, and another for every other one", () => {
    const noticed: IssueNotice = { kind: "new", state: "open", total: 2, at: start };
    const ids = [
      told({ total: 12 }).id,
      told({ total: 12, waiting: 3, version: 4 }).id,
      told({ total: 13 }).id,
      told({ total: 12 }, orders, noticed).id,
      told({ total: 12, state: "regressed" }, orders, noticed).id,
      told({ total: 12, tenant: "other" }).id,
      told({ total: 12, id: "iss_77" }).id,
    ];
    assert.equal(ids[0], ids[1]);
    assert.equal(new Set(ids).size, ids.length - 1);
  });

  test("quotes nothing that the code of a config said, and keeps subjects on one short line", () => {
    const { text } = told({ class: "bug", code: "TRANSFORM_THREW", detail: "The transform threw: ann@example.com" });
    assert.doesNotMatch(text, /ann@/);
    assert.match(text, /Reason: TRANSFORM_THREW at .*: The transform threw an error\n/);
    const long = told({ pointer: `/a\r\nBcc: x${"y".repeat(10_000)}`, detail: "z".repeat(10_000) });
    assert.match(long.subject, /^orders: 1 event set aside \(CONTRACT_BROKEN at \/a Bcc: xy+…\)$/);
    assert.ok(long.subject.length < 200 && long.text.length < 1_500);
  });

  test("takes a retention that ends after the last date there is", () => {
    const kept = 999_999_999 * dayMillis;
    const { text } = told({}, { ...orders, retention: { raw: kept, records: kept, failures: kept } });
    assert.match(text, /Kept: retention removes the first at about 9999-12-31/);
  });

  test("of a stream that is not in the config any more is for the inbox", () => {
    const { destinations, text } = told({ code: "STREAM_REMOVED", contractVersion: "none", pointer: "" }, null);
    assert.deepEqual(destinations, []);
    assert.doesNotMatch(text, /Kept:|Contract version/);
  });
});

test("a tenant's stream whose every failure is an issue of its own is told of twenty an hour, and how many more there are", async () => {
  let now = start;
  const drafts: NotificationDraft[] = [];
  let sequence = 0;
  const issues: Pick<IssueLog, "unnoticed" | "settleNotice"> = {
    unnoticed: async () => {
      const issue = issueOf({ id: `iss_${sequence++}`, firstSeenAt: now - 5_000, lastSeenAt: now - 5_000 });
      return [
        { issue, notice: null },
        { issue: { ...issue, stream: "other" }, notice: null },
        { issue: { ...issue, tenant: "globex" }, notice: null },
      ].slice(0, sequence > 1 ? 1 : 3);
    },
    settleNotice: async (_issue, _notice, notifications) => void drafts.push(...notifications),
  };
  for (let pass = 0; pass < 100; pass++) {
    await noticeIssues({ issues, project, clock: () => now });
    now += 1_000;
  }
  const of = (tenant: string, stream: string) =>
    drafts.filter((draft) => draft.tenant === tenant && draft.stream === stream);
  const [mine, other, elsewhere] = [of("acme", "orders"), of("acme", "other"), of("globex", "orders")];
  const heldBack = mine.filter(({ group }) => group === "failures:orders");
  assert.deepEqual([mine.length, heldBack.length, other.length, elsewhere.length], [100, 80, 1, 1]);
  assert.ok(heldBack.every(({ cooldownMillis }) => cooldownMillis === 60 * 60 * 1000));
  assert.equal(new Set(mine.map(({ group }) => group)).size, 21);
  now += 60 * 60 * 1000;
  await noticeIssues({ issues, project, clock: () => now });
  assert.equal(drafts.at(-1)?.cooldownMillis, 0);
});
