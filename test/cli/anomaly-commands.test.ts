import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerJson, answerProblem } from "../client/scripted-server.ts";
import { serve } from "./fix-server.ts";
import { jsonLines } from "./run-cli.ts";

const anomaly = {
  ...{ id: "anom_1", stream: "orders", rule: "spend", field: "cents", key: "DE", time: "2026-01-31T12:00:00.000Z" },
  ...{ value: 0.000123, score: 0.9999, expectedLow: 900, expectedHigh: null, why: "0.000123 is far below\u001b[2J." },
  ...{ recordId: "evt_1", incident: "inc_1", severity: "critical", state: "open", note: null, version: 1 },
};

describe("anomalies", { concurrency: true }, () => {
  test("are listed with how severe they are; small values are not rounded to nothing", async (context) => {
    const server = await serve(context, { "GET /v1/anomalies": [anomaly, { ...anomaly, id: "anom_2", key: "AT" }] });
    const range = ["--from", "2026-01-01", "--to", "2026-02-01"];
    const filters = [
      "--stream",
      "orders",
      "--rule",
      "spend",
      "--state",
      "open",
      "--incident",
      "inc_1",
      "--severity",
      "critical",
      ...range,
    ];
    const { code, stdout, stderr } = await server.run(["anomalies", "list", ...filters, "--no-json"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^anom_1 {2}spend {2}DE {3}open {3}critical {2}\d+ d ago {2}0\.000123 +0\.99 {2}/m);
    assert.ok(!stdout.includes("\u001b"), "no text of an event drives the terminal");
    assert.match(stderr, /Next: eventpulse anomalies show anom_1\n +eventpulse anomalies acknowledge anom_1 --note/);
    const times = "from=2026-01-01T00:00:00.000Z&to=2026-02-01T00:00:00.000Z";
    assert.deepEqual(server.asked(), [
      `GET /v1/anomalies?stream=orders&rule=spend&state=open&incident=inc_1&severity=critical&${times}&limit=50`,
    ]);
  });

  test("go into a pipe as the API shows them, as many as are asked for", async (context) => {
    const server = await serve(context, { "GET /v1/anomalies": [anomaly] });
    const { stdout, stderr } = await server.run(["anomalies", "list", "--limit", "1"]);
    assert.deepEqual(jsonLines(stdout), [anomaly]);
    assert.match(stderr, /The first 1; there may be more, see --limit\./);
  });

  test("say what to do when none fits", async (context) => {
    const server = await serve(context, { "GET /v1/anomalies": [] });
    const { code, stdout, stderr } = await server.run(["anomalies", "list", "--no-json"]);
    assert.equal(code, 0);
    assert.equal(stdout, "");
    assert.match(stderr, /No anomalies fit\.\nNext: eventpulse anomalies backtest RULE --from 7d/);
  });

  test("are shown with why they were found, and what to say of them", async (context) => {
    const server = await serve(context, {
      "GET /v1/anomalies/anom_1": anomaly,
      "GET /v1/anomalies/anom_2": { ...anomaly, id: "anom_2", state: "false-positive", value: "Köln", recordId: null },
    });
    const { stdout, stderr } = await server.run(["anomalies", "show", "anom_1", "--no-json"]);
    assert.match(
      stdout,
      /^anom_1 open\n {2}0\.000123 is far below\\u001b\[2J\.\n {2}value +0\.000123\n {2}expected +from 900\n/,
    );
    assert.match(stderr, /anomalies acknowledge anom_1 .*\n.*anomalies false-positive anom_1 .*\n.*query orders/);
    const other = await server.run(["anomalies", "show", "anom_2", "--no-json"]);
    assert.match(other.stdout, /^anom_2 false-positive\n.*\n {2}value +Köln\n/);
    assert.match(other.stderr, /Next: eventpulse anomalies reopen anom_2\n/);
    assert.equal((await server.run(["anomalies", "show", "anom_none"])).code, 1);
  });

  test("are acknowledged, called false positives and reopened; a note that is not given stays", async (context) => {
    const server = await serve(context, {
      "PATCH /v1/anomalies/anom_1": ({ body }, response) =>
        answerJson(response, 200, { ...anomaly, ...JSON.parse(body) }),
      "PATCH /v1/anomalies/anom_none": (_, response) => answerProblem(response, 404, "ANOMALY_UNKNOWN"),
    });
    const changes = [
      [["acknowledge", "--note", "a sale"], { state: "acknowledged", note: "a sale" }, "acknowledged anom_1"],
      [["false-positive"], { state: "false-positive" }, "called a false positive: anom_1"],
      [["reopen", "--note", ""], { state: "open", note: null }, "opened anom_1"],
    ] as const;
    for (const [[name = "", ...options], body, done] of changes) {
      const { code, stdout, stderr } = await server.run(["anomalies", name, "anom_1", ...options, "--no-json"]);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `${done}\n`);
      assert.deepEqual(JSON.parse(server.requests.at(-1)?.body ?? ""), body);
    }
    const both = await server.run(["anomalies", "acknowledge", "anom_none", "anom_1"]);
    assert.equal(both.code, 1);
    assert.equal(jsonLines(both.stdout)[0]?.["state"], "acknowledged", "one that fails does not keep the others");
  });

  test("filters must be words that there are", async (context) => {
    const server = await serve(context, {});
    for (const wrong of [
      ["--state", "broken"],
      ["--from", "yesterday"],
      ["--limit", "0"],
    ]) {
      const { code, stderr } = await server.run(["anomalies", "list", ...wrong]);
      assert.equal(code, 2, wrong.join(" "));
      assert.match(stderr, /Next: eventpulse anomalies list --help/);
    }
    assert.deepEqual(server.asked(), []);
  });
});
