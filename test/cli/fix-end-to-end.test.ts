import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type CliServer, startCliServer } from "./cli-server.ts";
import { jsonLines } from "./run-cli.ts";

let server: CliServer;
before(async () => {
  server = await startCliServer();
  const events = [
    { id: "comma", total: "12,50" },
    { id: "text-1", total: "7" },
    { id: "text-2", total: "8" },
    { id: "test-1" },
    { id: "test-2" },
  ];
  const { code } = await server.run(["send", "orders"], { input: JSON.stringify(events) });
  assert.equal(code, 3);
  await server.settled();
});
after(() => server.close());

/** Runs a command and reads what it printed. */
async function lines(code: number, ...args: string[]): Promise<Record<string, unknown>[]> {
  const result = await server.run([...args, "--json"]);
  assert.equal(result.code, code, `${args.join(" ")}: ${result.stderr}`);
  return jsonLines(result.stdout);
}

const idsOf = (rows: readonly Record<string, unknown>[]) => rows.map(({ id }) => String(id));

/** One after another, as somebody would do it: each step needs the one before. */
describe("what was set aside", () => {
  test("is found by what it holds, edited, and given back as edited", async () => {
    const [failure] = await lines(0, "failures", "list", "--where", "id = comma", "--contains", "12,50");
    const id = String(failure?.["id"]);
    assert.equal(
      (await lines(0, "failures", "edit", id, "--set", "/total=12.5", "--dry-run"))[0]?.["outcome"],
      "stored",
    );
    await lines(3, "failures", "edit", id, "--set", '/total="much"');
    const [edited] = await lines(
      0,
      "failures",
      "edit",
      id,
      "--set",
      "/total=12.5",
      "--reason",
      "the till writes commas",
    );
    assert.equal((edited?.["edit"] as { reason: string }).reason, "the till writes commas");
    const payload = await server.run(["failures", "payload", id, "--edited"]);
    assert.deepEqual(JSON.parse(payload.stdout), { id: "comma", total: 12.5 });
  });

  test("is planned, tried and replayed with a recipe from a file; what fails still ends with 3", async () => {
    const recipe = join(server.folder, "numbers.json");
    const steps = [{ do: "cast", path: "/total", to: "number", if: { path: "/total", type: "string" } }];
    await writeFile(recipe, JSON.stringify({ name: "numbers", description: "Texts to numbers.", steps }));
    const [issue] = await lines(0, "issues", "list", "--stream", "orders");
    assert.equal(issue?.["waiting"], 5);
    const select = ["--issue", String(issue?.["id"])];
    const [plan] = await lines(0, "failures", "replay", ...select);
    assert.deepEqual([plan?.["items"], plan?.["replayable"], plan?.["edited"]], [5, 5, 1]);
    const results = { recovered: 3, failing: 2 };
    const [tried] = await lines(3, "failures", "replay", ...select, "--recipe", recipe, "--dry-run");
    assert.deepEqual([tried?.["state"], tried?.["results"]], ["done", results]);
    assert.deepEqual(await lines(0, "query", "orders"), [], "nothing was written");
    const [done] = await lines(3, "failures", "replay", ...select, "--recipe", recipe, "--apply", "--reason", "mended");
    assert.deepEqual([done?.["state"], done?.["results"]], ["done", results]);
    const records = await lines(0, "query", "orders");
    const totals = records.map(({ data }) => (data as { total: number }).total).sort((left, right) => left - right);
    assert.deepEqual(totals, [7, 8, 12.5]);
    const items = await lines(0, "jobs", "items", String(done?.["id"]), "--result", "failing");
    assert.equal(items.length, 2);
  });

  test("is discarded by a filter after its grace period, in which it can be cancelled", async () => {
    const filter = ["--contains", "test-", "--state", "quarantined"];
    const discard = ["failures", "discard", ...filter, "--reason", "a load test", "--apply"];
    const [scheduled] = await lines(0, ...discard, "--grace", "1h");
    assert.equal(scheduled?.["state"], "scheduled");
    assert.equal((await lines(0, "jobs", "cancel", String(scheduled?.["id"])))[0]?.["state"], "cancelled");
    assert.equal(idsOf(await lines(0, "failures", "list", ...filter)).length, 2);
    const [done] = await lines(0, ...discard, "--grace", "0s");
    assert.deepEqual(done?.["results"], { discarded: 2 });
    const issues = await lines(0, "issues", "list");
    assert.deepEqual(
      issues.map(({ state, waiting }) => [state, waiting]),
      [["resolved", 0]],
    );
  });

  test("can be processed again from what was received, which changes nothing that is right", async () => {
    const range = ["--stream", "orders", "--from", "1h", "--to", "now"];
    assert.equal((await lines(0, "replay", ...range))[0]?.["items"], 1);
    assert.deepEqual((await lines(0, "replay", ...range, "--dry-run"))[0]?.["results"], { same: 1 });
  });

  test("leaves a trail that the command line checks itself", async () => {
    const entries = await lines(0, "audit", "list");
    const actions = new Set(entries.map(({ action }) => action));
    for (const action of ["payload.view", "failure.edit", "job.start", "job.cancel"])
      assert.ok(actions.has(action), action);
    const [verdict] = await lines(0, "audit", "verify");
    assert.deepEqual([verdict?.["whole"], verdict?.["entries"]], [true, entries.length]);
    await lines(0, "audit", "verify", "--head", String(entries[0]?.["hash"]));
    await lines(5, "audit", "verify", "--head", "0123456789abcdef".repeat(4));
  });
});
