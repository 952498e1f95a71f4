import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { EventPulseError } from "../../src/model/error.ts";
import { configFolder } from "./config-folder.ts";

const shop = `
import { z } from "zod";
import { alert, anomaly, defineConfig, email, env, http, simulator, stream, webhook } from "eventpulse";

export const orders = stream({
  schema: z.object({ id: z.string(), total: z.number().nonnegative(), country: z.string().length(2), at: z.iso.datetime() }),
  key: "id", time: "at", retention: { raw: "2d", records: "30d" }, pii: ["country"],
  transform: (order, context) => ({ ...order, cents: Math.round(order.total * 100), door: context.door }),
  owner: [email("shop@example.com")],
});
const plain = stream({ schema: z.object({ n: z.number() }) });
const spend = anomaly(orders, { value: "cents", per: "country", detect: "mad" });
const level = anomaly(plain, { value: "n", detect: { range: { high: 5 } } });

export default defineConfig({
  name: env("SHOP_NAME", "shop"),
  streams: { orders, plain },
  sources: [http(), simulator(orders, { every: "5m", count: 3, seed: 7, faults: { invalid: 0.01, spike: 1 } })],
  anomalies: { spend, level },
  alerts: [alert({ on: spend, to: [email("ops@example.com"), webhook(env("HOOK_URL"), { secret: env("HOOK_SECRET") })], cooldown: "45m" })],
});
`;
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const environment = { HOOK_URL: "http://127.0.0.1:9/hook", HOOK_SECRET: secret };

describe("loadConfig", () => {
  test("makes the project of a config, with defaults filled in and the environment read", async (context) => {
    const folder = await configFolder(context, { "eventpulse.config.ts": shop });
    const { project } = await loadConfig(join(folder, "eventpulse.config.ts"), { environment });
    const day = 86_400_000;
    assert.equal(project.name, "shop");
    assert.deepEqual([...project.streams.keys()], ["orders", "plain"]);
    const { schema, transform, ...orders } = project.streams.get("orders") ?? assert.fail();
    assert.equal(schema["~standard"].vendor, "zod");
    const context_ = { door: "http" } as Parameters<NonNullable<typeof transform>>[1];
    assert.deepEqual(transform?.({ total: 1.5 }, context_), { total: 1.5, cents: 150, door: "http" });
    assert.deepEqual(orders, {
      kind: "stream",
      name: "orders",
      version: null,
      key: "id",
      time: "at",
      retention: { raw: 2 * day, records: 30 * day, failures: 7 * day },
      pii: ["country"],
      owner: [{ kind: "email", address: "shop@example.com" }],
    });
    assert.deepEqual(project.anomalies, [
      {
        kind: "anomaly",
        name: "spend",
        stream: "orders",
        fields: ["cents"],
        per: "country",
        detect: { kind: "mad", window: 100, threshold: 6, warmup: 20 },
      },
      {
        kind: "anomaly",
        name: "level",
        stream: "plain",
        fields: ["n"],
        per: null,
        detect: { kind: "range", low: null, high: 5 },
      },
    ]);
    const hook = { kind: "webhook", url: environment.HOOK_URL, secret };
    assert.deepEqual(project.alerts, [
      {
        kind: "alert",
        name: "alerts[0]",
        anomaly: "spend",
        to: [{ kind: "email", address: "ops@example.com" }, hook],
        cooldownMillis: 2_700_000,
        recovery: true,
        severity: "warning",
      },
    ]);
    assert.deepEqual(project.sources, [
      { kind: "http" },
      {
        kind: "simulator",
        stream: "orders",
        everyMillis: 300_000,
        count: 3,
        seed: 7,
        faults: { invalid: 0.01, duplicate: 0, late: 0, spike: 1 },
      },
    ]);
  });

  test("takes .js and .mjs, and opens the HTTP door when no sources are named", async (context) => {
    const text = `import { z } from "zod"; import { defineConfig, stream } from "eventpulse";
      export default defineConfig({ name: "x", streams: { a: stream({ schema: z.object({}) }) } });`;
    const folder = await configFolder(context, { "a.mjs": text, "b.js": text, "package.json": '{"type":"module"}' });
    for (const name of ["a.mjs", "b.js"]) {
      const { project } = await loadConfig(join(folder, name));
      assert.deepEqual(project.sources, [{ kind: "http" }]);
    }
  });

  test("says how to begin when there is no config", async (context) => {
    const folder = await configFolder(context, {});
    await assert.rejects(loadConfig(join(folder, "eventpulse.config.ts")), (error) => {
      assert(error instanceof EventPulseError);
      assert.match(error.message, /There is no config file .*eventpulse\.config\.ts.*`eventpulse init`.*--config FILE/);
      return true;
    });
  });

  test("reads the file and what it imports again when fresh, and does not otherwise", async (context) => {
    const config = `import { z } from "zod"; import { defineConfig, stream } from "eventpulse"; import { word } from "./word.ts";
      export default defineConfig({ name: word + ":" + "one", streams: { a: stream({ schema: z.object({}) }) } });`;
    const word = (text: string) => `export { word } from "./inner.ts"; export const noise = ${JSON.stringify(text)};`;
    const inner = (text: string) => `export const word: string = ${JSON.stringify(text)};`;
    const folder = await configFolder(context, { "c.ts": config, "word.ts": word("a"), "inner.ts": inner("first") });
    const file = join(folder, "c.ts");
    const names = [(await loadConfig(file)).project.name];
    await writeFile(join(folder, "inner.ts"), inner("second"));
    names.push((await loadConfig(file)).project.name, (await loadConfig(file, { fresh: true })).project.name);
    await writeFile(file, config.replace('"one"', '"two"'));
    names.push((await loadConfig(file, { fresh: true })).project.name);
    assert.deepEqual(names, ["first:one", "first:one", "second:one", "second:two"]);
  });

  test("loads again after a broken version was mended", async (context) => {
    const good = `import { z } from "zod"; import { defineConfig, stream } from "eventpulse";
      export default defineConfig({ name: "x", streams: { a: stream({ schema: z.object({}) }) } });`;
    const folder = await configFolder(context, { "c.ts": good.replace("z.object", "z.object((") });
    const file = join(folder, "c.ts");
    await assert.rejects(loadConfig(file, { fresh: true }), EventPulseError);
    await writeFile(file, good);
    assert.equal((await loadConfig(file, { fresh: true })).project.name, "x");
  });
});
