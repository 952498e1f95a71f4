import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { awsCost, type Traffic } from "../../src/cli/aws-cost.ts";
import { awsPrices } from "../../src/cli/aws-prices.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

const traffic: Traffic = {
  eventsPerMonth: 1_000_000,
  eventBytes: 1024,
  batch: 100,
  retentionDays: 7,
  traces: 0.01,
  objectsPerInvocation: 1,
  seriesPerObject: 0,
};

describe("cost", () => {
  test("a million events of 1 KB in batches of 100 with 1% traces cost at most 1.00 USD", () => {
    const { usdPerMillionEvents } = awsCost(traffic, awsPrices);
    assert.ok(usdPerMillionEvents <= 1, `${usdPerMillionEvents}`);
  });

  test("the lines add up, nothing costs less than nothing, and no traffic costs only what stands there", () => {
    const { lines, trafficUsd, fixedUsd, totalUsd } = awsCost(traffic, awsPrices);
    assert.ok(lines.every(({ usd, quantity }) => usd >= 0 && quantity >= 0));
    const total = lines.reduce((sum, { usd }) => sum + usd, 0);
    assert.ok(Math.abs(total - totalUsd) < 1e-9 && Math.abs(trafficUsd + fixedUsd - totalUsd) < 1e-9);
    const idle = awsCost({ ...traffic, eventsPerMonth: 0 }, awsPrices);
    assert.deepEqual([idle.trafficUsd, idle.fixedUsd], [0, fixedUsd]);
  });

  test("larger batches cost less, larger events more, and so do more traces and more days", () => {
    const usd = (change: Partial<Traffic>) => awsCost({ ...traffic, ...change }, awsPrices).trafficUsd;
    assert.ok(usd({ batch: 1 }) > 5 * usd({ batch: 100 }));
    assert.ok(usd({ eventBytes: 8192 }) > 2 * usd({}));
    assert.ok(usd({ traces: 1 }) > usd({}));
    assert.ok(usd({ retentionDays: 365 }) > usd({}));
  });

  test("a price file of one's own is taken, and a wrong one is explained", async (t) => {
    const folder = await temporaryFolder(t);
    const file = join(folder, "prices.json");
    await writeFile(file, JSON.stringify({ ...awsPrices, dynamoWriteUnitsMillion: 0, region: "eu-central-1" }));
    const args = ["cost", "--events-per-month", "1000000", "--prices", file, "--json"];
    const { code, stdout } = await runCli(args);
    const answer = JSON.parse(stdout) as { prices: { region: string }; lines: { item: string; usd: number }[] };
    assert.deepEqual([code, answer.prices.region], [0, "eu-central-1"]);
    assert.equal(answer.lines.find(({ item }) => item === "DynamoDB writes")?.usd, 0);
    await writeFile(file, JSON.stringify({ ...awsPrices, secretMonth: "cheap" }));
    const wrong = await runCli(args);
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.stderr, /secretMonth.*must be a number of USD/);
  });
});
