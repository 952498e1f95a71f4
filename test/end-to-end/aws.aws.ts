import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { installFolder } from "../../scripts/aws-services/install-once.ts";
import { accountScenarios } from "./aws/account-scenarios.ts";
import type { AwsCall } from "./aws/aws-call.ts";
import { awsPlatform } from "./aws/aws-platform.ts";
import { bucketScenarios } from "./aws/bucket-scenarios.ts";
import { deadLetterScenarios } from "./aws/dead-letter-scenarios.ts";
import { comparePolicy } from "./aws/policy-comparison.ts";
import { troubleScenarios } from "./aws/trouble-scenarios.ts";
import { everyScenario } from "./scenarios/every-scenario.ts";

const platform = awsPlatform();

after(() => platform.close());

// One after the other: there is one deployment, and a scenario puts its own code into it.
describe("AWS as deployed, end to end", { concurrency: false }, () => {
  everyScenario(platform);
  bucketScenarios(platform);
  troubleScenarios(platform);
  deadLetterScenarios(platform);
  accountScenarios(platform);
});

// Last: what the scenarios have called is known then.
describe("least privilege", { concurrency: false }, () => {
  for (const name of ["http", "process", "simulate", "dead-letters", "notify"]) {
    test(`the role of ${name} allows what its code calls, and nothing else`, async () => {
      const deployment = platform.deployment();
      assert.ok(deployment !== null, "nothing was deployed");
      const recorded = platform.proxies.get(name)?.calls ?? new Map<string, ReadonlyMap<string, number>>();
      const counts = Object.fromEntries([...recorded].map(([action, on]) => [action, Object.fromEntries(on)]));
      const folder = join(installFolder, "calls");
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${name}.json`), `${JSON.stringify(counts, null, 2)}\n`);
      const account = { id: "123456789012", region: deployment.aws.region };
      const granted = deployment.permissions[name]?.code ?? [];
      const { missing } = comparePolicy(callsOf(name), granted, account);
      // A dead message is tried once more by the code of process: what that calls shows what both need.
      const shown = name === "dead-letters" ? [...callsOf(name), ...callsOf("process")] : callsOf(name);
      const { unused } = comparePolicy(shown, granted, account);
      assert.deepEqual({ missing, unused }, { missing: [], unused: [] });
    });
  }
});

function callsOf(name: string): AwsCall[] {
  const recorded = platform.proxies.get(name)?.calls ?? new Map<string, ReadonlyMap<string, number>>();
  return [...recorded].flatMap(([action, on]) => [...on.keys()].map((resource) => ({ action, resource })));
}
