import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { drawChange } from "../../src/cli/draw-change.ts";
import { drawJob } from "../../src/cli/draw-job.ts";
import { drawPlan } from "../../src/cli/draw-plan.ts";
import { failureQuery, failureSelection } from "../../src/cli/failure-filter.ts";
import { patchArgument } from "../../src/cli/patch-argument.ts";
import { relativeTime } from "../../src/cli/relative-time.ts";
import { sameCommand } from "../../src/cli/same-command.ts";
import { hourlyCounts, sparkline } from "../../src/cli/sparkline.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { jobExitCode } from "../../src/cli/watch-job.ts";

/** A terminal that writes nothing and shows colours as words. */
const terminalOf = (width: number): Terminal => ({
  pretty: true,
  quiet: false,
  width,
  result: async () => undefined,
  write: async () => undefined,
  say: () => undefined,
  next: () => undefined,
  style: (style, text) => (style === "red" || style === "green" ? `<${style}>${text}</>` : text),
});

describe("--set and --remove", () => {
  test("keep a value as it was written, also a number that JavaScript would round", () => {
    assert.equal(
      patchArgument("set", "/total=12345678901234567890.10"),
      '{"op":"add","path":"/total","value":12345678901234567890.10}',
    );
    assert.equal(patchArgument("set", '/a~1b="x=y"'), '{"op":"add","path":"/a~1b","value":"x=y"}');
  });

  test("replace an element of an array instead of inserting before it, append at -, and may replace the whole event", () => {
    assert.match(patchArgument("set", "/items/0=1"), /"op":"replace"/);
    assert.match(patchArgument("set", "/items/-=1"), /"op":"add"/);
    assert.equal(patchArgument("set", '={"id":1}'), '{"op":"replace","path":"","value":{"id":1}}');
    assert.equal(patchArgument("remove", "/note"), '{"op":"remove","path":"/note"}');
  });

  for (const text of ["total=1", "/total", "/total=", "/total=DE", "/total={", ""]) {
    test(`refuse ${JSON.stringify(text)}`, () => {
      assert.throws(() => patchArgument("set", text), /pointer=JSON|must be JSON; a text has its quotes/);
    });
  }
});

describe("the filter of failures", () => {
  const where = [{ field: "total", operator: "gte", value: "5" }] as const;

  test("lists and selects with the same words; an issue alone is selected as an issue", () => {
    assert.deepEqual(failureQuery({ issue: "iss_abc", stream: "orders", where }), {
      stream: "orders",
      fingerprint: "abc",
      "where[total][gte]": ["5"],
    });
    assert.deepEqual(failureSelection([], { issue: "iss_abc" }), { issue: "iss_abc" });
    assert.deepEqual(failureSelection([], { issue: "iss_abc", stream: "orders", where }), {
      filter: { stream: "orders", fingerprint: "abc", where },
    });
    assert.deepEqual(failureSelection(["fail_1", "fail_2"], {}), { ids: ["fail_1", "fail_2"] });
  });

  test("never means everything because nothing was said, nor ids and filters at once", () => {
    assert.throws(() => failureSelection([], {}), /Say which failures are meant/);
    assert.throws(() => failureSelection(["fail_1"], { stream: "orders" }), /not by both/);
  });
});

describe("a change", () => {
  test("shows both texts as they are when they fit, with what differs marked", () => {
    assert.deepEqual(drawChange(terminalOf(100), '{"total":"12"}', '{"total":12.0}'), [
      '  before  {"total":<red>"12"</>}',
      '  after   {"total":<green>12.0</>}',
    ]);
  });

  test("of a long event is cut to what differs, and never drives the terminal", () => {
    const long = "x".repeat(500);
    const [before = "", after = ""] = drawChange(terminalOf(80), `${long}\u001b[2J${long}`, `${long}y${long}`);
    assert.match(before, /^ {2}before {2}…x{40}<red>\\u001b\[2J<\/>x{40}…$/);
    assert.match(after, /^ {2}after {3}…x{40}<green>y<\/>x{40}…$/);
  });

  test("counts no character twice when one text repeats a part of the other", () => {
    assert.deepEqual(drawChange(terminalOf(80), "aa", "aaa"), ["  before  aa", "  after   aa<green>a</>"]);
    assert.deepEqual(drawChange(terminalOf(80), null, "a"), ["  after   a"]);
    assert.deepEqual(drawChange(terminalOf(80), "a", "a"), ["  event   a"]);
    assert.deepEqual(drawChange(terminalOf(80), null, null), []);
  });
});

describe("a job", () => {
  const job = (state: string, results: object, more: object = {}) => ({
    id: "job_1",
    state,
    fields: { id: "job_1", state, action: "replay", mode: "run", items: 1200, results, ...more },
  });

  test("ends a command with 0 when nothing fails still, with 3 when something does, with 1 when it was stopped", () => {
    assert.equal(jobExitCode(job("done", { recovered: 2, duplicate: 1, dropped: 1, skipped: 1 })), 0);
    for (const bad of ["failing", "unmended", "unrecoverable"]) {
      assert.equal(jobExitCode(job("done", { recovered: 2, [bad]: 1 })), 3);
      assert.equal(jobExitCode(job("paused", { [bad]: 1 })), 3);
    }
    assert.equal(jobExitCode(job("cancelled", { recovered: 2 })), 1);
    assert.equal(jobExitCode(job("paused", {})), 1);
  });

  test("is drawn with its results, why items fail, and what changed", () => {
    const text = drawJob(
      terminalOf(120),
      job(
        "paused",
        { recovered: 998, failing: 2 },
        {
          stateReason: "the canary\u0007 found 2 that fail",
          reasons: [
            { code: "CONTRACT_BROKEN", pointer: "/total", detail: "must be\na number", count: 2, exampleId: "fail_9" },
          ],
          samples: [
            { target: "fail_1", result: "recovered", before: '{"n":"1"}', after: '{"n":1}', output: '{"cents":100}' },
          ],
        },
      ),
    );
    assert.doesNotMatch(text.replaceAll("\n", ""), /\p{Cc}/u);
    assert.match(text, /^job_1 paused: the canary\\u0007 found 2 that fail \(replay\)$/m);
    assert.match(text, /1,000 of 1,200 items · 998 recovered · 2 failing/);
    assert.match(text, /2 {2}CONTRACT_BROKEN {2}\/total {3}must be\\na number {2}fail_9/);
    assert.match(
      text,
      /fail_1 recovered\n {2}before {2}\{"n":<red>"1"<\/>\}\n {2}after {3}\{"n":<green>1<\/>\}\n {2}record {2}\{"cents":100\}/,
    );
  });

  test("is planned with counts, ages and issues, without what is zero or unknown", () => {
    const text = drawPlan(
      terminalOf(100),
      {
        items: 1234,
        bytes: 99_000,
        oldestAt: new Date(Date.now() - 3 * 3_600_000 - 60_000).toISOString(),
        newestAt: null,
        firstExpiresAt: new Date(Date.now() + 49 * 3_600_000).toISOString(),
        streams: { orders: 1_230, texts: 4 },
        states: { quarantined: 1_234 },
        issues: [{ id: "iss_1", code: "CONTRACT_BROKEN", pointer: "/total", count: 1_230 }],
        edited: 0,
        duplicatesExpected: 3,
        replayable: 1_234,
        unrecoverable: 0,
      },
      "failure",
    );
    assert.match(text, /^1,234 failures\n/);
    assert.match(text, /streams +orders 1,230, texts 4/);
    assert.match(text, /oldest .*\(3 h ago\)/);
    assert.match(text, /first expires .*\(in 2 d\)/);
    assert.match(text, /duplicates +3/);
    assert.match(text, /iss_1 +1,230 +CONTRACT_BROKEN +\/total/);
    assert.doesNotMatch(text, /newest|unrecoverable|with an edit/);
    assert.throws(() => drawPlan(terminalOf(100), { rows: 1 }, "failure"), /no plan/);
  });
});

describe("a trend", () => {
  test("is one block an hour, the largest the tallest, and an hour without any is blank", () => {
    assert.equal(sparkline([0, 1, 4, 8]), " ▁▄█");
    assert.equal(sparkline([0, 0]), "  ");
    assert.equal(sparkline([1_000_000, 1]), "█▁");
  });

  test("puts hours in their place, and leaves out what is older", () => {
    const now = Date.UTC(2026, 0, 2, 10, 30);
    const trend = [
      { time: "2026-01-02T06:00:00.000Z", count: 9 },
      { time: "2026-01-02T08:00:00.000Z", count: 2 },
      { time: "2026-01-02T10:00:00.000Z", count: 5 },
    ];
    assert.deepEqual(hourlyCounts(trend, 4, now), [0, 2, 0, 5]);
  });
});

test("a time is told in the largest unit that fits", () => {
  const now = Date.UTC(2026, 0, 2);
  const at = (millis: number) => relativeTime(new Date(now + millis).toISOString(), now);
  assert.equal(at(6.5 * 86_400_000), "in 6 d");
  assert.equal(at(-90_000), "1 min ago");
  assert.equal(at(500), "in 0 s");
  assert.equal(relativeTime("soon", now), "");
});

test("the next command is the one that was given, quoted for a shell, without its key", () => {
  const argv = [
    "node",
    "eventpulse",
    "failures",
    "replay",
    "--where",
    "name = O'Neil",
    "--plan",
    "--key",
    "secret",
    "--url=http://x",
  ];
  assert.equal(
    sameCommand(argv, ["--plan"], "--dry-run"),
    `eventpulse failures replay --where 'name = O'\\''Neil' --dry-run`,
  );
});
