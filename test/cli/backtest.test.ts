import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { answerJson } from "../client/scripted-server.ts";
import { type EmbeddedRunning, startEmbeddedRunning } from "../end-to-end/embedded-platform.ts";
import { replaceFile } from "../replace-file.ts";
import { serve } from "./fix-server.ts";
import { type CliResult, endOf, jsonLines, runCli, spawnCli, temporaryFolder } from "./run-cli.ts";

const config = (rules: string) => `import { anomaly, defineConfig, stream } from "eventpulse";
import { z } from "zod";
const schema = z.object({ id: z.string(), celsius: z.number(), at: z.iso.datetime() });
const readings = stream({ schema, key: "id", time: "at" });
export default defineConfig({ name: "weather", streams: { readings }, anomalies: { ${rules} } });
`;
const hot = (high: number) => `hot: anomaly(readings, { value: "celsius", detect: { range: { high: ${high} } } })`;
const start = Date.UTC(2026, 0, 1);
const time = (hours: number) => new Date(start + hours * 3_600_000).toISOString();
const range = ["--from", time(0), "--to", time(168)];

describe("anomalies backtest", { concurrency: false }, () => {
  let running: EmbeddedRunning;
  /** The config of somebody who has changed a rule and not deployed it. */
  let local: string;
  before(async () => {
    running = await startEmbeddedRunning(config(hot(30)));
    local = join(running.dataDirectory, "local.config.ts");
    const celsius = (hour: number) => (hour === 50 ? 41 : hour === 51 ? 42 : hour === 100 ? 31 : 20 + (hour % 5));
    const events = Array.from({ length: 168 }, (_, hour) => ({
      id: `r${hour}`,
      celsius: celsius(hour),
      at: time(hour),
    }));
    await running.send("readings", events);
    await running.settled();
  });
  after(() => running.close());

  const backtest = async (rules: string, ...args: readonly string[]): Promise<CliResult> => {
    await replaceFile(local, config(rules));
    return runCli(["anomalies", "backtest", "hot", ...range, "--config", local, ...args], {
      env: { EVENTPULSE_URL: running.url },
    });
  };
  const lines = async (rules: string) => {
    const { code, stdout, stderr } = await backtest(rules, "--json");
    assert.equal(code, 0, stderr);
    const all = jsonLines(stdout);
    const summary = all.pop();
    return {
      finds: all.filter(({ kind }) => kind === "find"),
      gone: all.filter(({ kind }) => kind === "gone"),
      summary,
    };
  };

  test("of the rule that is deployed finds what is stored", async () => {
    const { finds, gone, summary } = await lines(hot(30));
    const stored = await running.list<{ id: string; recordId: string; time: string; incident: string }>(
      "/v1/anomalies",
    );
    assert.deepEqual(
      finds.map(({ id, recordId, time: at, stored: is }) => [id, recordId, at, is]),
      stored.toReversed().map(({ id, recordId, time: at }) => [id, recordId, at, true]),
    );
    assert.deepEqual(gone, []);
    assert.deepEqual(summary, {
      ...{ kind: "summary", rule: "hot", stream: "readings", from: time(0), to: time(168), records: 168, series: 1 },
      ...{
        finds: 3,
        incidents: 2,
        falseAlarmsPerWeek: summary?.["falseAlarmsPerWeek"],
        new: 0,
        gone: 0,
        complete: true,
      },
    });
    // 167 hours from the first record to the last.
    assert.ok(Math.abs(Number(summary?.["falseAlarmsPerWeek"]) - (2 * 168) / 167) < 1e-9);
  });

  test("of a rule that is stricter or more lenient says what is new and what is gone", async () => {
    const strict = await lines(hot(40));
    assert.deepEqual(
      strict.finds.map(({ value, stored }) => [value, stored]),
      [
        [41, true],
        [42, true],
      ],
    );
    assert.deepEqual(
      strict.gone.map(({ value, state }) => [value, state]),
      [[31, "open"]],
    );
    const loose = await lines(hot(23));
    assert.equal(loose.finds.filter(({ stored }) => stored === false).length, loose.summary?.["new"]);
    assert.ok(Number(loose.summary?.["new"]) > 20);
    assert.deepEqual(loose.gone, []);
  });

  test("is shown to people as a table and in sum", async () => {
    const { code, stdout, stderr } = await backtest(hot(40), "--no-json");
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^TIME +KEY +VALUE +EXPECTED +SCORE +STORED +WHY\n2026-01-03T02:00:00\.000Z +41 +up to 40 +0\.5\d +yes /,
    );
    assert.match(stdout, /\n2026-01-05T04:00:00\.000Z +31 +up to 30 .* not found /);
    assert.match(stdout, /\nhot over 168 records of readings in 1 series, 2026-01-01T00:00:00\.000Z to /);
    assert.match(stdout, /\n {2}finds +2: 2 as stored, 0 new; 1 stored and not found\n {2}incidents +1\n/);
    assert.match(stdout, /\n {2}false alarms +1\.006 a series and week, if all were false\n$/);
  });

  test("changes nothing on the server", async () => {
    const before = await running.list("/v1/anomalies");
    await lines(hot(-100));
    assert.deepEqual(await running.list("/v1/anomalies"), before);
  });

  test("says so when no record has what the rule judges, and when there are no records", async () => {
    const other = 'hot: anomaly(readings, { value: "kelvin" as "celsius", detect: { range: { high: 1 } } })';
    const wide = config(other).replace("celsius: z.number()", "kelvin: z.number()").replace(' as "celsius"', "");
    await replaceFile(local, wide);
    const run = (...args: string[]) =>
      runCli(["anomalies", "backtest", "hot", "--config", local, "--no-json", ...args], {
        env: { EVENTPULSE_URL: running.url },
      });
    assert.match((await run(...range)).stdout, /\n {2}judged +none: no record has what this rule judges\n/);
    const empty = await run("--from", "2020-01-01", "--to", "2020-01-02");
    assert.equal(empty.code, 0);
    assert.match(empty.stdout, /^hot over 0 records of readings/);
    assert.match(empty.stderr, /Next: eventpulse query readings/);
  });

  test("of a rule that the config lacks names the one that was meant, and all that there are", async () => {
    await replaceFile(local, config(`${hot(30)}, cold: anomaly(readings, { value: "celsius", detect: "mad" })`));
    const { code, stderr } = await runCli(["anomalies", "backtest", "hot1", ...range, "--config", local]);
    assert.equal(code, 2);
    assert.match(stderr, /no rule "hot1"\. Did you mean hot\? Its rules: hot, cold\./);
    await replaceFile(local, config(""));
    const none = await runCli(["anomalies", "backtest", "hot", ...range, "--config", local]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /no rule "hot"\. It has none\./);
  });

  test("of a config that is wrong ends with 3, of a range that is none with 2", async () => {
    assert.equal((await backtest("hot: 3")).code, 3);
    await replaceFile(local, config(hot(30)));
    for (const wrong of [[], ["--from", "soon"], ["--from", "2026-01-02", "--to", "2026-01-01"]]) {
      const { code } = await runCli(["anomalies", "backtest", "hot", "--config", local, ...wrong]);
      assert.equal(code, 2, wrong.join(" "));
    }
  });

  test("of a stream that the server lacks says that the config is newer", async (context) => {
    const file = join(await temporaryFolder(context), "eventpulse.config.ts");
    await replaceFile(file, config(hot(30)).replaceAll("readings", "measurements"));
    const { code, stderr } = await runCli(["anomalies", "backtest", "hot", ...range, "--config", file], {
      env: { EVENTPULSE_URL: running.url },
    });
    assert.equal(code, 1);
    assert.match(stderr, /no stream "measurements".* The config is newer than what is deployed/);
  });

  test("finds a silence that lasts, but none in what has not happened yet", async (context) => {
    await replaceFile(local, config("hot: anomaly(readings, { detect: { rate: { warmup: 20 } } })"));
    /** Of two hours with a record every three seconds, up to `latest`; the range ends tomorrow. */
    const alive = async (latest: number) => {
      const { url } = await serve(context, {
        "GET /v1/anomalies": [],
        "GET /v1/streams/readings/records": (_, response) => {
          const records = Array.from({ length: 2_400 }, (_, index) => {
            const at = new Date(latest - (2_399 - index) * 3_000).toISOString();
            return JSON.stringify({ id: `evt_${String(index).padStart(32, "0")}`, time: at, receivedAt: at, data: {} });
          });
          response.writeHead(200, { "content-type": "application/x-ndjson" }).end(records.join("\n"));
        },
      });
      const to = new Date(Date.now() + 86_400_000).toISOString();
      const args = ["--from", "1d", "--to", to, "--config", local, "--json"];
      const { code, stdout, stderr } = await runCli(["anomalies", "backtest", "hot", ...args], {
        env: { EVENTPULSE_URL: url },
      });
      assert.equal(code, 0, stderr);
      return jsonLines(stdout);
    };
    const hourAgo = Date.now() - 3_600_000;
    const [find, summary] = await alive(hourAgo);
    const { kind, time: at, value, recordId, stored, why } = find ?? {};
    assert.deepEqual(
      { kind, at, value, recordId, stored },
      { kind: "find", at: new Date(hourAgo).toISOString(), value: 0, recordId: null, stored: false },
    );
    assert.match(String(why), /^No record for \d+ (seconds|minutes), since /);
    assert.deepEqual([summary?.["finds"], summary?.["incidents"], summary?.["new"]], [1, 1, 1]);
    assert.deepEqual(
      (await alive(Date.now())).map(({ kind: is, finds }) => [is, finds]),
      [["summary", 0]],
    );
  });

  test("ends at Ctrl-C with what it has read so far, and with 130", async (context) => {
    await replaceFile(local, config(hot(30)));
    const anomaly = { id: "anom_late", state: "open", time: time(2), value: 99 };
    const record = (hour: number) =>
      JSON.stringify({
        ...{ id: `evt_${String(hour).padStart(32, "0")}`, time: time(hour), receivedAt: time(hour) },
        data: { celsius: 50 },
      });
    let asked = () => {};
    const waiting = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const server = await serve(context, {
      "GET /v1/anomalies": (_, response) =>
        answerJson(response, 200, {
          data: [anomaly, { ...anomaly, id: "anom_1", time: time(1) }],
          page: { next: null },
        }),
      "GET /v1/streams/readings/records": ({ url }, response) => {
        // The second page never comes.
        if (url.includes("cursor=2")) return asked();
        const link = '</v1/streams/readings/records?cursor=2>; rel="next"';
        response.writeHead(200, { "content-type": "application/x-ndjson", link }).end(`${record(0)}\n${record(1)}\n`);
      },
    });
    const child = spawnCli(["anomalies", "backtest", "hot", ...range, "--config", local], {
      env: { EVENTPULSE_URL: server.url },
    });
    const ended = endOf(child);
    await waiting;
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 130, stderr);
    const [first, second, gone, summary] = jsonLines(stdout);
    assert.deepEqual([first?.["kind"], second?.["kind"]], ["find", "find"]);
    assert.deepEqual([gone?.["kind"], gone?.["id"]], ["gone", "anom_1"], "what comes later may still be found");
    assert.deepEqual([summary?.["records"], summary?.["gone"], summary?.["complete"]], [2, 1, false]);
  });
});
