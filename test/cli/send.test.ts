import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type CliServer, startCliServer } from "./cli-server.ts";
import { endOf, jsonLines, spawnCli, temporaryFolder } from "./run-cli.ts";

let server: CliServer;
before(async () => {
  server = await startCliServer();
});
after(() => server.close());

const order = (id: string, total: unknown = 1, more: object = {}) => ({ id, total, ...more });
/** Data of the records of a stream whose id starts with `prefix`, by id. */
async function recordsOf(stream: string, prefix: string): Promise<Record<string, unknown>[]> {
  await server.settled();
  const { stdout } = await server.run(["query", stream, "--limit", "100000", "--format", "ndjson"]);
  const data = jsonLines(stdout).map((record) => record["data"] as Record<string, unknown>);
  const found = data.filter(({ id }) => String(id).startsWith(prefix));
  return found.sort((left, right) => (String(left["id"]) < String(right["id"]) ? -1 : 1));
}

describe("send", () => {
  test("takes JSON, NDJSON and CSV files by their names, and one object as well as many", async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, "one.json"), JSON.stringify(order("kinds-1", 1.5)));
    await writeFile(join(folder, "many.json"), JSON.stringify([order("kinds-2"), order("kinds-3")], null, 2));
    await writeFile(
      join(folder, "lines.ndjson"),
      `\ufeff${JSON.stringify(order("kinds-4"))}\r\n\r\n${JSON.stringify(order("kinds-5"))}`,
    );
    await writeFile(join(folder, "rows.csv"), 'id,total,note\nkinds-6,2,"a\nb, ""c"""\n\nkinds-7,3,\n');
    const files = ["one.json", "many.json", "lines.ndjson", "rows.csv"].map((name) => join(folder, name));
    const { code, stdout, stderr } = await server.run(["send", "orders", ...files]);
    assert.equal(code, 0, stderr);
    const [summary] = jsonLines(stdout);
    assert.deepEqual(
      { ...summary, requests: 0, seconds: 0 },
      { sent: 7, accepted: 7, invalid: 0, refused: 0, requests: 0, seconds: 0 },
    );
    assert.match(stderr, /Next: eventpulse query orders/);
    assert.deepEqual(await recordsOf("orders", "kinds-"), [
      order("kinds-1", 1.5),
      order("kinds-2"),
      order("kinds-3"),
      order("kinds-4"),
      order("kinds-5"),
      order("kinds-6", 2, { note: 'a\nb, "c"' }),
      order("kinds-7", 3, { note: "" }),
    ]);
  });

  test("takes a folder for all events files below it, and no others", async (context) => {
    const folder = await temporaryFolder(context);
    await mkdir(join(folder, "deep", ".hidden"), { recursive: true });
    await writeFile(join(folder, "a.json"), JSON.stringify(order("folder-1")));
    await writeFile(join(folder, "deep", "b.jsonl"), JSON.stringify(order("folder-2")));
    await writeFile(join(folder, "deep", "c.txt"), JSON.stringify(order("folder-3")));
    await writeFile(join(folder, "deep", ".hidden", "d.json"), JSON.stringify(order("folder-4")));
    const { code, stdout } = await server.run(["send", "orders", folder]);
    assert.equal(code, 0);
    assert.equal(jsonLines(stdout)[0]?.["accepted"], 2);
    assert.deepEqual(await recordsOf("orders", "folder-"), [order("folder-1"), order("folder-2")]);
  });

  test("packs many small files into few requests", async (context) => {
    const folder = await temporaryFolder(context);
    for (let index = 0; index < 120; index++) {
      await writeFile(join(folder, `${index}.json`), JSON.stringify(order(`packed-${index}`)));
    }
    const { stdout } = await server.run(["send", "orders", folder]);
    assert.deepEqual(
      { ...jsonLines(stdout)[0], seconds: 0 },
      { sent: 120, accepted: 120, invalid: 0, refused: 0, requests: 1, seconds: 0 },
    );
  });

  test("names what is invalid with file, line and reason, keeps the rest, and ends with 3", async (context) => {
    const folder = await temporaryFolder(context);
    const lines = [order("bad-1"), order("bad-2", "many"), order("bad-3")].map((one) => JSON.stringify(one));
    await writeFile(join(folder, "a.ndjson"), `${lines.join("\n")}\n\n{broken\n`);
    await writeFile(join(folder, "b.json"), JSON.stringify([order("bad-4"), { id: 5, total: 1 }], null, 2));
    await writeFile(join(folder, "c.json"), '{"id": "bad-6"');
    await writeFile(join(folder, "d.csv"), "id,total\nbad-7,1\n\nbad-8,x\n");
    await writeFile(join(folder, "e.json"), Buffer.from([0x7b, 0xff, 0x7d]));
    const { code, stdout, stderr } = await server.run(["send", "orders", folder]);
    assert.equal(code, 3, stderr);
    const summary = jsonLines(stdout)[0];
    assert.deepEqual(
      { ...summary, requests: 0, seconds: 0 },
      { sent: 10, accepted: 8, invalid: 6, refused: 2, requests: 0, seconds: 0 },
    );
    assert.match(stderr, /a\.ndjson:2: \/total must be a number/);
    assert.match(stderr, /a\.ndjson:5: The JSON cannot be read/);
    assert.match(stderr, /b\.json:6: \/id must be /);
    assert.match(stderr, /c\.json: it is not valid JSON.*\(refused, not kept\)/);
    assert.match(stderr, /d\.csv:4: \/total must be a number/);
    assert.match(stderr, /e\.json: it is not valid UTF-8 \(refused, not kept\)/);
    assert.match(stderr, /Next: eventpulse failures list --stream orders/);
    assert.equal((await recordsOf("orders", "bad-")).length, 4);
  });

  test("finds out what a pipe carries, and says so when it must be told", async () => {
    const pretty = JSON.stringify([order("pipe-1"), order("pipe-2")], null, 2);
    assert.equal((await server.run(["send", "orders"], { input: pretty })).code, 0);
    const lines = `${JSON.stringify(order("pipe-3"))}\n${JSON.stringify(order("pipe-4"))}\n`;
    assert.equal((await server.run(["send", "orders", "-"], { input: lines })).code, 0);
    const csv = await server.run(["send", "orders", "--format", "csv"], { input: "id,total\npipe-5,5\n" });
    assert.equal(csv.code, 0, csv.stderr);
    assert.equal((await recordsOf("orders", "pipe-")).length, 5);
    const nothing = await server.run(["send", "orders"], { input: "" });
    assert.equal(nothing.code, 3);
  });

  test("sends what comes through a pipe as it comes, and ends cleanly at the first Ctrl-C", async () => {
    const child = spawnCli(["send", "orders"], { env: { EVENTPULSE_URL: server.url } });
    const ended = endOf(child);
    child.stdin.write(`${JSON.stringify(order("stream-1"))}\n`);
    while ((await recordsOf("orders", "stream-")).length === 0);
    child.stdin.write(`${JSON.stringify(order("stream-2"))}\n`);
    while ((await recordsOf("orders", "stream-")).length < 2);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /Finishing the requests that are under way\. Press Ctrl-C again/);
    assert.equal(jsonLines(stdout)[0]?.["accepted"], 2);
  });

  test("sends many files' worth of events in batches, all of them once", async (context) => {
    const folder = await temporaryFolder(context);
    const lines = Array.from({ length: 25_000 }, (_, index) => JSON.stringify(order(`bulk-${index}`, index)));
    await writeFile(join(folder, "bulk.ndjson"), lines.join("\n"));
    const { code, stdout } = await server.run(["send", "orders", join(folder, "bulk.ndjson")]);
    assert.equal(code, 0);
    assert.equal(jsonLines(stdout)[0]?.["accepted"], 25_000);
    assert.equal(jsonLines(stdout)[0]?.["requests"], 25);
    const records = await recordsOf("orders", "bulk-");
    assert.equal(new Set(records.map(({ id }) => id)).size, 25_000);
    assert.equal(records.length, 25_000);
  });

  test("sends a CSV file that is larger than one upload", async (context) => {
    const folder = await temporaryFolder(context);
    const rows = Array.from({ length: 130 }, (_, index) => `wide-${index},1,"${"x\n".repeat(50_000)}"`);
    await writeFile(join(folder, "wide.csv"), `id,total,note\n${rows.join("\n")}\n`);
    const { code, stdout, stderr } = await server.run(["send", "orders", join(folder, "wide.csv")]);
    assert.equal(code, 0, stderr);
    assert.equal(jsonLines(stdout)[0]?.["accepted"], 130);
    assert.equal((await recordsOf("orders", "wide-")).length, 130);
  });

  test("ends with 2 for a file that is not there or whose kind is not clear, before anything is sent", async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, "events.txt"), JSON.stringify(order("unclear-1")));
    const missing = await server.run(["send", "orders", join(folder, "none.json")]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /There is no file .*none\.json/);
    const unclear = await server.run(["send", "orders", join(folder, "events.txt")]);
    assert.equal(unclear.code, 2);
    assert.match(unclear.stderr, /add --format json, ndjson or csv/);
    assert.equal((await server.run(["send", "orders", join(folder, "events.txt"), "--format", "ndjson"])).code, 0);
    assert.equal((await recordsOf("orders", "unclear-")).length, 1);
  });

  test("ends with 1 and the streams there are for a stream that is not there", async () => {
    const { code, stderr } = await server.run(["send", "order"], { input: "{}" });
    assert.equal(code, 1);
    assert.match(stderr, /orders/);
  });
});
