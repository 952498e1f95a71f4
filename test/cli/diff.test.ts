import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { StreamDiff } from "../../src/cli/stream-diff.ts";
import { connect } from "../../src/client/connection.ts";
import { type CliServer, startCliServer } from "./cli-server.ts";
import { temporaryFolder } from "./run-cli.ts";
import { writeConfig } from "./written-config.ts";

const texts = `texts: stream({ schema: z.object({ id: z.string(), text: z.string() }), key: "id" })`;
const timed = `timed: stream({ schema: z.object({ n: z.number(), at: z.iso.datetime() }), time: "at" })`;
const order = "id: z.string(), total: z.number(), note: z.string().optional()";
const orders = (fields = order, more = "") => `orders: stream({ schema: z.object({ ${fields} }), key: "id", ${more} })`;
const tighter = "id: z.string(), total: z.number().max(10), note: z.string().optional()";

describe("diff", () => {
  let server: CliServer;
  before(async () => {
    server = await startCliServer();
    const sent = [5, 20, 30].map((total) => ({ id: `o-${total}`, total }));
    const input = JSON.stringify([...sent, { id: "bad", total: "many" }]);
    await server.run(["send", "orders"], { input });
    await server.settled();
  });
  after(() => server.close());

  async function diff(context: Parameters<typeof temporaryFolder>[0], streams: readonly string[], ...args: string[]) {
    const config = await writeConfig(
      await temporaryFolder(context),
      `export default defineConfig({ name: "cli", streams: { ${streams.join(", ")} } });\n`,
    );
    const { code, stdout, stderr } = await server.run(["diff", "--config", config, ...args]);
    return { code, stdout, stderr };
  }
  const streamsOf = (stdout: string): Record<string, StreamDiff> => {
    const lines = stdout.split("\n").filter((line) => line !== "");
    return Object.fromEntries(lines.map((line) => JSON.parse(line) as StreamDiff).map((one) => [one.stream, one]));
  };

  test("says that nothing differs, and ends with 0", async (context) => {
    const { code, stdout, stderr } = await diff(context, [orders(), texts, timed]);
    assert.equal(code, 0, stderr);
    for (const one of Object.values(streamsOf(stdout))) {
      assert.deepEqual([one.state, one.level, one.changes, one.break], ["compared", null, [], false]);
      assert.equal(one.deployed?.version, one.local?.version);
    }
    assert.deepEqual(Object.keys(streamsOf(stdout)), ["orders", "texts", "timed"]);
  });

  test("ends with 5 on a break, counts the events that would be refused and tells those that were before apart", async (context) => {
    const { code, stdout, stderr } = await diff(context, [orders(tighter), texts, timed]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /A break is not announced/);
    const found = streamsOf(stdout)["orders"];
    assert.deepEqual(found?.changes, [{ level: "major", pointer: "/total", detail: "must be at most 10 now" }]);
    assert.deepEqual([found?.level, found?.break, found?.announced], ["major", true, false]);
    const { tried, refused, refusedBefore, reasons } = found?.events ?? {};
    assert.deepEqual([tried, refused, refusedBefore], [4, 2, 1]);
    assert.deepEqual(
      [reasons?.[0]?.code, reasons?.[0]?.pointer, reasons?.[0]?.count],
      ["CONTRACT_BROKEN", "/total", 2],
    );
  });

  test("ends with 0 when the break is announced by a higher major number", async (context) => {
    const { code, stdout } = await diff(context, [orders(tighter, 'version: "1.0.0"'), texts, timed]);
    assert.equal(code, 0);
    assert.equal(streamsOf(stdout)["orders"]?.announced, true);
    const minor = await diff(context, [orders(tighter, 'version: "0.9.0"'), texts, timed]);
    assert.equal(minor.code, 5);
  });

  test("finds a break that only the events show, in a check that JSON Schema cannot express", async (context) => {
    const refined = "id: z.string(), total: z.number().refine((n) => n !== 30), note: z.string().optional()";
    const { code, stdout } = await diff(context, [orders(refined), texts, timed]);
    assert.equal(code, 5);
    const found = streamsOf(stdout)["orders"];
    assert.deepEqual([found?.level, found?.events?.refused, found?.break], [null, 1, true]);
    const unseen = await diff(context, [orders(refined), texts, timed], "--limit", "0");
    assert.deepEqual([unseen.code, streamsOf(unseen.stdout)["orders"]?.events], [0, null]);
  });

  test("calls more minor, and says which streams are new or gone", async (context) => {
    const wider = `${order}, place: z.string().optional()`;
    const fresh = "fresh: stream({ schema: z.object({ a: z.string() }) })";
    const { code, stdout } = await diff(context, [orders(wider), timed, fresh]);
    assert.equal(code, 0);
    const found = streamsOf(stdout);
    assert.deepEqual(
      Object.values(found).map(({ stream, state, level }) => [stream, state, level]),
      [
        ["fresh", "new", null],
        ["orders", "compared", "minor"],
        ["texts", "removed", null],
        ["timed", "compared", null],
      ],
    );
  });

  test("draws the same for people", async (context) => {
    const { stdout } = await diff(context, [orders(tighter), timed], "--no-json");
    assert.match(stdout, /^orders {2}major: a break that is not announced$/m);
    assert.match(stdout, /^ {2}major {2}\/total must be at most 10 now$/m);
    assert.match(stdout, /^ {2}of 4 events sent, 2 events would be refused; 1 event refused before, and still$/m);
    assert.match(stdout, /^ {4}2 {2}CONTRACT_BROKEN \/total /m);
    assert.match(stdout, /^texts {2}removed/m);
    assert.match(stdout, /^timed {2}no change$/m);
  });

  test("leaves the reason in the audit log of the server", async (context) => {
    await diff(context, [orders()], "--reason", "a release is due");
    const { url, key } = server;
    const audit = (await connect({ url, key }).json("GET", "/v1/audit", { query: { action: "events.view" } })) as {
      data: readonly { reason: string; target: string }[];
    };
    assert.ok(audit.data.some(({ reason, target }) => reason === "a release is due" && target === "orders"));
  });

  test("says what is wrong with the config, or with the server, as every command does", async (context) => {
    const broken = await diff(context, ["orders: 1"]);
    assert.equal(broken.code, 3);
    const away = await diff(context, [orders()], "--url", "http://127.0.0.1:1");
    assert.equal(away.code, 1);
    assert.match(away.stderr, /no EventPulse at/);
  });
});
