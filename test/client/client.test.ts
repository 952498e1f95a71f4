import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type ClientLiveMessage, createClient } from "../../src/client/client.ts";
import { type CliServer, startCliServer } from "../cli/cli-server.ts";

let server: CliServer;
before(async () => {
  server = await startCliServer();
});
after(() => server.close());

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("client", () => {
  test("sends lists and streams of events, and names what is invalid", async () => {
    const client = createClient({ url: server.url, key: server.key });
    const result = await client.send("orders", [
      { id: "list-1", total: 1 },
      { id: "list-2", total: "x" },
    ]);
    assert.equal(result.accepted, 2);
    assert.deepEqual(
      result.items.map(({ index, kept, errors }) => [index, kept, errors[0]?.pointer]),
      [[1, true, "/total"]],
    );
    async function* stream() {
      for (let n = 0; n < 2_000; n++) yield { id: `stream-${n}`, total: n };
    }
    assert.equal((await client.send("orders", stream())).accepted, 2_000);
    await server.settled();
    const where = { id: { contains: "stream-" }, total: { gte: 500, lt: 510 } };
    const records = await all(client.records("orders", { where }));
    assert.equal(records.length, 10);
  });

  test("reads records over pages, by time, in both orders and no more than asked", async () => {
    const client = createClient({ url: server.url });
    const start = Date.UTC(2026, 0, 1);
    const events = Array.from({ length: 1_500 }, (_, n) => ({ n, at: new Date(start + n * 1_000).toISOString() }));
    await client.send("timed", events);
    await server.settled();
    const numbers = async (query: Parameters<typeof client.records>[1]) =>
      (await all(client.records("timed", query))).map(({ data }) => (data as { n: number }).n);
    assert.deepEqual(
      await numbers({ order: "asc" }),
      events.map(({ n }) => n),
    );
    assert.deepEqual(await numbers({ limit: 3 }), [1_499, 1_498, 1_497]);
    assert.deepEqual(await numbers({ from: new Date(start + 5_000), to: start + 7_000, order: "asc" }), [5, 6]);
    assert.deepEqual(await numbers({ to: "2026-01-01T00:00:01Z" }), [0]);
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(all(client.records("timed", { signal })), /enough/);
  });

  test("hears what is committed until its signal ends it", async () => {
    const client = createClient({ url: server.url, key: server.key });
    const controller = new AbortController();
    const heard: ClientLiveMessage<unknown>[] = [];
    const listening = (async () => {
      for await (const message of client.live("texts", { signal: controller.signal })) {
        heard.push(message);
        if (heard.length === 2) controller.abort();
      }
    })();
    // The line may not be open yet; what was sent before is not heard.
    for (let n = 0; heard.length < 2; n++) {
      await client.send("texts", [{ id: `live-${n}`, text: "\u2028" }]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await listening;
    assert.deepEqual(
      heard.map(({ kind }) => kind),
      ["record", "record"],
    );
  });

  test("lists failures, gives back their bytes, retries and discards them", async () => {
    const client = createClient({ url: server.url, key: server.key });
    await client.send("texts", [{ id: "wrong", text: 5 }]);
    await server.settled();
    const [failure] = await all(client.failures({ stream: "texts", limit: 1 }));
    assert.ok(failure !== undefined);
    assert.equal(failure.code, "CONTRACT_BROKEN");
    assert.ok(!Number.isNaN(Date.parse(failure.firstSeenAt)));
    assert.equal(Buffer.from(await client.failurePayload(failure.id)).toString(), '{"id":"wrong","text":5}');
    assert.equal((await client.retryFailure(failure.id)).state, "retrying");
    await server.settled();
    assert.equal((await client.discardFailure(failure.id, "a test")).state, "discarded");
    await assert.rejects(client.discardFailure(failure.id, "again"), { code: "STATE_CONFLICT" });
    assert.deepEqual(await all(client.failures({ stream: "texts", state: "quarantined" })), []);
  });

  test("tells the balance", async () => {
    await server.settled();
    const { total, streams } = await createClient({ url: server.url }).balance();
    assert.deepEqual(Object.keys(streams).sort(), ["orders", "texts", "timed"]);
    assert.equal(total.accepted, total.stored + total.dropped + total.quarantined + total.dead + total.inFlight);
  });

  test("throws the code of the API's problem", async () => {
    await assert.rejects(createClient({ url: server.url, key: "wrong-wrong-wrong" }).balance(), {
      code: "KEY_INVALID",
    });
    await assert.rejects(createClient({ url: server.url }).send("nope", [{}]), { code: "STREAM_UNKNOWN" });
  });

  test("can be bundled for browsers, with nothing of Node in it", async () => {
    const entry = fileURLToPath(new URL("../../src/client/client.ts", import.meta.url));
    const { outputFiles, metafile } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
      minify: true,
      metafile: true,
    });
    assert.ok(Object.keys(metafile.inputs).every((path) => /(^|\/)src\/(client|model)\//.test(path)));
    const [output] = outputFiles;
    assert.ok(output !== undefined && output.contents.length < 20_000, `${output?.contents.length} bytes`);
    assert.doesNotMatch(output.text, /\bBuffer\b|\bprocess\./);
  });
});
