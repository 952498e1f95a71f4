import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { parse } from "csv-parse/sync";
import { jsonLines, runCli } from "../cli/run-cli.ts";
import { fixture, fixtureMissing } from "../fixtures.ts";
import { type HostileServer, startHostileServer } from "./hostile-server.ts";
import { openLiveTail } from "./live-tail.ts";
import { eventually, type FailureRow, type RecordRow } from "./running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string(), text: z.string() });
const sent = stream({ schema, key: "id" });
const made = stream({ schema, key: "id", transform: (event) => ({ ...event }) });
const table = stream({ schema, key: "id" });
const named = stream({ schema: z.object({ text: z.string() }), key: "text" });
export default defineConfig({ name: "naughty", streams: { sent, made, table, named } });
`;

const growthMegabytesMax = 150;

describe("naughty strings", { concurrency: false, skip: fixtureMissing("json/naughty-strings.json") }, () => {
  let server: HostileServer;
  let strings: readonly string[] = [];
  before(async () => {
    strings = JSON.parse(readFileSync(fixture("json/naughty-strings.json"), "utf8")) as string[];
    server = await startHostileServer(config);
  });
  after(() => server.close());

  const idOf = (place: number) => `n-${String(place).padStart(3, "0")}`;
  /** By place; fails when one is missing, twice, or changed. */
  const expectAll = (rows: readonly { readonly id: unknown; readonly text: unknown }[], from: string) => {
    assert.equal(rows.length, strings.length, from);
    const texts = new Map(rows.map(({ id, text }) => [id, text]));
    for (const [place, text] of strings.entries())
      assert.equal(texts.get(idOf(place)), text, `${from}: string ${place}`);
  };
  const dataOf = (rows: readonly Record<string, unknown>[]) =>
    rows.map((row) => row["data"] as { id: string; text: string });
  const csvRows = (text: string) =>
    (parse(text, { columns: true }) as Record<string, string>[]).map((row) => ({
      id: row["data.id"],
      text: row["data.text"],
    }));

  test("all 515 are taken, and told live as they are", async () => {
    assert.equal(strings.length, 515);
    const events = strings.map((text, place) => ({ id: idOf(place), text }));
    assert.equal((await server.send("made", events)).invalidCount, 0);
    const tail = await openLiveTail(server, "?stream=sent");
    // A listener gets 200 a second: in portions none is left out.
    for (let start = 0; start < events.length; start += 180) {
      if (start > 0) await new Promise((resolve) => setTimeout(resolve, 2_100));
      const portion = events.slice(start, start + 180);
      assert.equal((await server.send("sent", portion)).invalidCount, 0);
      await eventually(() => assert.equal(tail.messages.length, start + portion.length));
    }
    expectAll(dataOf(tail.messages.map(({ data }) => data)), "live tail");
    tail.close();
    await server.settled();
  });

  for (const stream of ["sent", "made"]) {
    test(`they come back unchanged from the API as JSON, NDJSON and CSV (${stream})`, async () => {
      const path = `/v1/streams/${stream}/records?limit=1000`;
      expectAll(dataOf(await server.list<Record<string, unknown>>(`/v1/streams/${stream}/records`)), "JSON");
      const as = async (accept: string) => (await server.request(path, { headers: { accept } })).text();
      expectAll(dataOf(jsonLines(await as("application/x-ndjson"))), "NDJSON");
      expectAll(csvRows(await as("text/csv")), "CSV");
    });
  }

  test("they come back unchanged from `eventpulse query` as JSON, NDJSON and CSV", async () => {
    const query = async (format: string) => {
      const args = ["query", "sent", "--url", server.url, "--limit", "1000", "--format", format];
      const { code, stdout, stderr } = await runCli(args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    expectAll(dataOf(JSON.parse(await query("json")) as Record<string, unknown>[]), "JSON");
    expectAll(dataOf(jsonLines(await query("ndjson"))), "NDJSON");
    expectAll(csvRows(await query("csv")), "CSV");
  });

  test("they survive an uploaded CSV file", async () => {
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const lines = strings.map((text, place) => `${idOf(place)},${quoted(text)}`);
    const body = `id,text\n${lines.join("\n")}\n`;
    const bytes = Buffer.byteLength(body);
    const asked = await server.request("/v1/uploads", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ stream: "table", fileName: strings.at(-1), contentType: "text/csv", bytes }),
    });
    const link = (await asked.json()) as { url: string; headers: Record<string, string> };
    assert.equal((await fetch(link.url, { method: "PUT", headers: link.headers, body })).status, 200);
    await server.settled();
    expectAll(dataOf(await server.list<Record<string, unknown>>("/v1/streams/table/records")), "uploaded CSV");
  });

  test("each can be the key of an event, and finds its record by address and by condition", async () => {
    const usable = [...new Set(strings)].filter((text) => text !== "");
    await server.send(
      "named",
      usable.map((text) => ({ text })),
    );
    await server.settled();
    assert.deepEqual(await server.list<FailureRow>("/v1/failures?stream=named"), []);
    for (const text of usable) {
      const where = new URLSearchParams({ "where[text][eq]": text });
      const rows = await server.list<RecordRow<{ text: string }>>(`/v1/streams/named/records?${where}`);
      assert.deepEqual(
        rows.map(({ data }) => data.text),
        [text],
      );
      // "." and ".." are steps in an address, whatever their encoding.
      if (text === "." || text === "..") continue;
      const record = await server.get<RecordRow<{ text: string }>>(
        `/v1/streams/named/records/${encodeURIComponent(text)}`,
      );
      assert.equal(record.data.text, text);
    }
  });

  test("afterwards the server is ready, has answered nothing with a 5xx, and has not grown", () =>
    server.survived(growthMegabytesMax));
});
