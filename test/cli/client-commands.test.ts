import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "csv-parse/sync";
import { fixture, fixtureMissing } from "../fixtures.ts";
import { type CliServer, startCliServer } from "./cli-server.ts";
import { endOf, jsonLines, spawnCli, temporaryFolder } from "./run-cli.ts";

let server: CliServer;
before(async () => {
  server = await startCliServer();
});
after(() => server.close());

const order = (id: string, total: unknown = 1, more: object = {}) => ({ id, total, ...more });
describe("naughty strings", { skip: fixtureMissing("json/naughty-strings.json") }, () => {
  let strings: readonly string[] = [];
  before(async () => {
    strings = JSON.parse(await readFile(fixture("json/naughty-strings.json"), "utf8"));
    const own = ["\r", "a\rb", "\u0000", "\u001b]0;title\u0007\u001b[2J", "\u2028", "\u202e", " lead", "=1+1", '"', ""];
    strings = [...strings, ...own];
    const events = strings.map((text, index) => ({ id: `naughty-${String(index).padStart(4, "0")}`, text }));
    const { code, stderr } = await server.run(["send", "texts", "--format", "json"], { input: JSON.stringify(events) });
    assert.equal(code, 0, stderr);
    await server.settled();
  });
  const inOrder = (rows: readonly { id: unknown; text: unknown }[]) =>
    [...rows].sort((left, right) => (String(left.id) < String(right.id) ? -1 : 1)).map(({ text }) => text);

  test("come back unchanged as NDJSON and as JSON", async () => {
    const ndjson = await server.run(["query", "texts", "--limit", "10000", "--format", "ndjson"]);
    assert.deepEqual(
      inOrder(jsonLines(ndjson.stdout).map(({ data }) => data as { id: string; text: string })),
      strings,
    );
    const json = await server.run(["query", "texts", "--limit", "10000", "--format", "json"]);
    const records = JSON.parse(json.stdout) as { data: { id: string; text: string } }[];
    assert.deepEqual(inOrder(records.map(({ data }) => data)), strings);
  });

  test("come back unchanged as CSV", async () => {
    const { stdout } = await server.run(["query", "texts", "--limit", "10000", "--format", "csv"]);
    const rows = parse(stdout, { columns: true }) as { "data.id": string; "data.text": string }[];
    assert.deepEqual(inOrder(rows.map((row) => ({ id: row["data.id"], text: row["data.text"] }))), strings);
  });

  test("never drive the terminal: a table has no control character and no mark that reorders text", async () => {
    const { stdout } = await server.run(["query", "texts", "--limit", "10000", "--no-json"]);
    assert.equal(stdout.trimEnd().split("\n").length, strings.length + 1);
    assert.doesNotMatch(stdout.replaceAll("\n", ""), /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u);
  });
});

describe("query", () => {
  before(async () => {
    const events = Array.from({ length: 2_500 }, (_, n) => ({
      n,
      at: new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString(),
    }));
    const { code, stderr } = await server.run(["send", "timed"], { input: JSON.stringify(events) });
    assert.equal(code, 0, stderr);
    await server.settled();
  });
  const numbers = async (...args: string[]) => {
    const { code, stdout, stderr } = await server.run(["query", "timed", ...args]);
    assert.equal(code, 0, stderr);
    return jsonLines(stdout).map(({ data }) => (data as { n: number }).n);
  };

  test("follows pages up to its limit, the newest first or as it is told", async () => {
    const all = Array.from({ length: 2_500 }, (_, n) => n);
    assert.deepEqual(await numbers("--limit", "9999", "--order", "asc"), all);
    assert.deepEqual(await numbers("--limit", "2200"), all.toReversed().slice(0, 2_200));
    assert.equal((await numbers()).length, 100);
  });

  test("takes times and conditions, in words and in signs", async () => {
    assert.deepEqual(
      await numbers("--from", "2026-01-01T00:00:10Z", "--to", "2026-01-01T00:00:12Z", "--order", "asc"),
      [10, 11],
    );
    assert.deepEqual(await numbers("--where", "n gte 5", "--where", "n<8", "--order", "asc"), [5, 6, 7]);
    assert.deepEqual(
      await numbers("--where", "n ne 1", "--where", "n ne 2", "--where", "n lt 4", "--order", "asc"),
      [0, 3],
    );
    assert.deepEqual(await numbers("--from", "1h"), []);
  });

  test("ends with 2 for a condition, a time or a format that is none", async () => {
    for (const wrong of [
      ["--where", "n"],
      ["--where", "n like 3"],
      ["--from", "yesterday"],
      ["--format", "xml"],
      ["--limit", "0"],
    ]) {
      const { code, stderr } = await server.run(["query", "timed", ...wrong]);
      assert.equal(code, 2, wrong.join(" "));
      assert.match(stderr, /Next: eventpulse query --help/);
    }
  });

  test("prints numbers as they were sent", async () => {
    await server.run(["send", "orders"], { input: '{"id":"exact-1","total":1.50}\n{"id":"exact-2","total":1E2}\n' });
    await server.settled();
    const { stdout } = await server.run(["query", "orders", "--where", "id contains exact-", "--order", "asc"]);
    assert.match(stdout, /"total":1\.50?[,}]/);
    assert.equal(jsonLines(stdout).length, 2);
  });

  test("says what to do when nothing fits", async () => {
    const { code, stdout, stderr } = await server.run(["query", "timed", "--where", "n eq 99999"]);
    assert.equal(code, 0);
    assert.equal(stdout, "");
    assert.match(stderr, /No records of timed fit/);
    assert.match(stderr, /Next: eventpulse status/);
  });

  test("stops quietly when its reader has seen enough", async () => {
    const child = spawnCli(["query", "timed", "--limit", "2500"], { env: { EVENTPULSE_URL: server.url } });
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once("exit", resolve));
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /EPIPE/);
  });
});

describe("tail", () => {
  test("prints what is committed from now on, and ends with 0 at Ctrl-C", async () => {
    const child = spawnCli(["tail", "texts"], { env: { EVENTPULSE_URL: server.url } });
    const ended = endOf(child);
    await new Promise<void>((resolve) => {
      child.stderr.on("data", (text: string) => {
        if (text.includes("Watching texts")) resolve();
      });
    });
    let output = "";
    const seenBoth = new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: string) => {
        output += chunk;
        if (output.includes('"kind":"failure"') && output.includes('"kind":"record"')) resolve();
      });
    });
    const text = "\u001b[31mred\u0000\r\u2028";
    await server.run(["send", "texts"], {
      input: JSON.stringify([
        { id: "tail-1", text },
        { id: "tail-2", text: 5 },
      ]),
    });
    await server.run(["send", "orders"], { input: JSON.stringify(order("tail-other")) });
    await seenBoth;
    child.kill("SIGINT");
    const { code, stdout: seen } = await ended;
    assert.equal(code, 0);
    const lines = jsonLines(seen);
    assert.deepEqual(lines.map(({ kind }) => kind).sort(), ["failure", "record"]);
    const record = lines.find(({ kind }) => kind === "record")?.["data"] as { data: { text: string } };
    assert.equal(record.data.text, text, "unchanged in a pipe");
    assert.doesNotMatch(seen, /tail-other/);
  });

  test("ends with 1 for a stream that is not there", async () => {
    const { code, stderr } = await server.run(["tail", "nope"]);
    assert.equal(code, 1);
    assert.match(stderr, /no stream "nope"/);
  });
});

describe("failures", () => {
  test("are listed, shown, given back byte for byte, retried and discarded", async () => {
    const original = '{"id":"fix-1",  "total":"\\u00fc \\u001b[2J"}';
    assert.equal((await server.run(["send", "orders"], { input: `${original}\n` })).code, 3);
    await server.settled();
    const list = await server.run(["failures", "list", "--stream", "orders", "--state", "quarantined", "--limit", "1"]);
    const [failure] = jsonLines(list.stdout);
    const id = String(failure?.["id"]);
    assert.equal(failure?.["code"], "CONTRACT_BROKEN");
    assert.match(list.stderr, new RegExp(`Next: eventpulse failures show ${id}`));

    const shown = await server.run(["failures", "show", id, "--no-json"]);
    assert.match(shown.stdout, /\/total must be a number/);
    assert.match(shown.stderr, new RegExp(`eventpulse failures retry ${id}`));
    assert.equal((await server.run(["failures", "payload", id])).stdout, original);

    const retried = await server.run(["failures", "retry", id, "--no-json"]);
    assert.equal(retried.stdout, `retrying ${id}\n`);
    for (;;) {
      const [now] = jsonLines((await server.run(["failures", "show", id])).stdout);
      if (now?.["state"] !== "quarantined") continue;
      assert.equal(now["attempts"], 2);
      break;
    }
    const unsaid = await server.run(["failures", "discard", id]);
    assert.equal(unsaid.code, 2);
    const discarded = await server.run(["failures", "discard", id, "--reason", "a test"]);
    assert.equal(discarded.code, 0);
    assert.equal(jsonLines(discarded.stdout)[0]?.["state"], "discarded");
    const again = await server.run(["failures", "retry", id, "fail_unknown", "--json"]);
    assert.equal(again.code, 1);
    const codes = jsonLines(again.stderr).map(({ error }) => (error as { code: string }).code);
    assert.deepEqual(codes, ["STATE_CONFLICT", "FAILURE_UNKNOWN"], "one that fails does not keep the others");
  });

  test("filters must be words that there are", async () => {
    const { code, stderr } = await server.run(["failures", "list", "--state", "broken"]);
    assert.equal(code, 2);
    assert.match(stderr, /Allowed choices are quarantined, dead/);
  });
});

describe("status", () => {
  test("tells health and balance, and the balance is exact", async () => {
    await server.settled();
    const { code, stdout } = await server.run(["status"]);
    assert.equal(code, 0);
    const [status] = jsonLines(stdout);
    assert.equal(status?.["healthy"], true);
    const streams = status?.["streams"] as Record<string, Record<string, number>>;
    assert.deepEqual(Object.keys(streams).sort(), ["orders", "texts", "timed"]);
    const total = status?.["total"] as Record<string, number>;
    for (const counts of [...Object.values(streams), total]) {
      const { accepted = 0, stored = 0, dropped = 0, quarantined = 0, dead = 0, inFlight = 0 } = counts;
      assert.equal(accepted, stored + dropped + quarantined + dead + inFlight);
    }
    assert.equal(streams["timed"]?.["stored"], 2_500);
    assert.equal(typeof streams["timed"]?.["lastDay"], "number");
  });

  test("suggests commands that find the same server", async () => {
    const { stderr } = await server.run(["query", "timed", "--url", `${server.url}/`], { env: { EVENTPULSE_URL: "" } });
    assert.match(stderr, new RegExp(`Next: eventpulse query timed --limit 1000 --url ${server.url}/`));
  });

  test("is a table with a total for a person", async () => {
    const { stdout } = await server.run(["status", "--no-json"]);
    assert.match(stdout, /^✔ healthy http/);
    assert.match(stdout, /STREAM +ACCEPTED +STORED/);
    assert.match(stdout, /^total +[\d,]+/m);
  });
});

describe("connection", () => {
  test("that finds no server says so in one line with what to do, and ends with 1", async () => {
    for (const args of [["status"], ["query", "orders"], ["tail"], ["send", "orders", "-"], ["failures", "list"]]) {
      const { code, stdout, stderr } = await server.run([...args, "--url", "http://127.0.0.1:9"]);
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.equal(stderr, "eventpulse: no EventPulse at http://127.0.0.1:9; start one with `eventpulse dev`\n");
    }
  });

  test("with a wrong key ends with 4 and says where the key may come from", async () => {
    const { code, stderr } = await server.run(["status"], { env: { EVENTPULSE_KEY: "ep_wrong-wrong-wrong" } });
    assert.equal(code, 4);
    assert.match(stderr, /--key-file FILE or EVENTPULSE_KEY/);
    assert.doesNotMatch(stderr, /ep_wrong/);
  });

  test("takes the key from a flag, a file, stdin and the environment", async (context) => {
    const file = join(await temporaryFolder(context), "key");
    await writeFile(file, `${server.key}\n`);
    assert.equal((await server.run(["status", "--key", server.key])).code, 0);
    assert.equal((await server.run(["status", "--key-file", file])).code, 0);
    assert.equal((await server.run(["status", "--key-file", "-"], { input: `${server.key}\n` })).code, 0);
    assert.equal((await server.run(["status"], { env: { EVENTPULSE_KEY: server.key } })).code, 0);
    await writeFile(file, "ep_wrong-wrong-wrong");
    assert.equal((await server.run(["status", "--key-file", file])).code, 4);
    const missing = await server.run(["status", "--key-file", `${file}.none`]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /cannot be read/);
  });

  test("refuses a URL that is none with 2", async () => {
    const { code, stderr } = await server.run(["status", "--url", "localhost:8080"]);
    assert.equal(code, 2);
    assert.match(stderr, /is no http or https URL/);
  });
});
