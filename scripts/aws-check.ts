/**
 * Proves the AWS platform without an account: `npm run test:aws [-- --only NAME] [--tests PATTERN]`, NAME being one of the checks
 * below and PATTERN what names of suites or tests must fit.
 * Installs what it needs into `.aws-test/` (moto and cfn-lint from PyPI, DynamoDB Local from Maven Central, Lambda's Node from npm),
 * starts it on free ports of loopback for each check anew, and ends it. Terraform's provider comes from the folder TF_PLUGIN_DIR when
 * that is set, else from its registry. Exit code 0: every test of every check has passed.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ChildGroups } from "./aws-services/child-groups.ts";
import { installDynamoDbLocal, startDynamoDbLocal } from "./aws-services/dynamodb-local.ts";
import { installFolder } from "./aws-services/install-once.ts";
import { installLambdaNode } from "./aws-services/lambda-node.ts";
import { installMoto, startMoto } from "./aws-services/moto-server.ts";
import { parityTable } from "./aws-services/parity-table.ts";
import { missingPrograms } from "./aws-services/required-programs.ts";
import { runTests, type TestRun, type TestTally } from "./aws-services/test-run.ts";

interface Check extends Omit<TestRun, "env" | "tests" | "print"> {
  readonly shows: string;
  /** It waits for the emulator most of the time: it runs beside the others, and is shown when its turn comes. */
  readonly beside: boolean;
  /** Who plays DynamoDB: Amazon's own local one is the more faithful, the emulator is what `infra/` is applied to. */
  readonly dynamo: "local" | "moto";
}

const checks: Readonly<Record<string, Check>> = {
  contracts: {
    shows: "every port's contract suite, on DynamoDB Local and moto",
    files: ["test/platforms/aws/*.aws.ts"],
    beside: false,
    dynamo: "local",
    concurrency: 2,
    // Faults are tried by the hundred in one test.
    testSecondsMax: 600,
    minutesMax: 12,
  },
  moto: {
    shows: "the suites of the store, on moto's DynamoDB",
    files: ["test/platforms/aws/{record-table,failure-log,issue-log}.aws.ts"],
    beside: false,
    dynamo: "moto",
    concurrency: 2,
    testSecondsMax: 180,
    minutesMax: 4,
  },
  infra: {
    shows: "infra/: format, plan, apply, no drift, destroy",
    files: ["test/infra/*.aws.ts"],
    beside: true,
    dynamo: "moto",
    concurrency: 1,
    testSecondsMax: 300,
    minutesMax: 10,
  },
  parity: {
    shows: "the same scenarios on the platform as deployed and on the embedded one",
    // The first one waits two minutes for Terraform, while the others run.
    files: ["test/end-to-end/aws.aws.ts", "test/end-to-end/aws/*.aws.ts", "test/end-to-end/embedded.test.ts"],
    beside: false,
    dynamo: "local",
    concurrency: 2,
    // The bound is that of suites, too, and the first of them waits for Terraform.
    testSecondsMax: 700,
    minutesMax: 12,
  },
};

interface Programs {
  readonly moto: string;
  readonly dynamoDbLocal: string;
  readonly lambdaNode: string;
}
interface Row {
  readonly name: string;
  readonly tally: TestTally;
  readonly seconds: number;
}

interface ShownRow extends Row {
  /** What it has printed. */
  text(): string;
}
interface CheckRun {
  readonly name: string;
  readonly programs: Programs;
  readonly tests: string | null;
  readonly print: (text: string) => void;
}

const groups = new ChildGroups();
for (const [signal, code] of [["SIGINT", 130] as const, ["SIGTERM", 143] as const]) {
  process.once(signal, () => void groups.endAll().then(() => process.exit(code)));
}
try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await groups.endAll();
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: "string", multiple: true }, tests: { type: "string" } },
  });
  const names = values.only ?? Object.keys(checks);
  const unknown = names.filter((name) => checks[name] === undefined);
  if (unknown.length > 0) {
    console.error(`There is no check ${unknown.join(", ")}. The checks: ${Object.keys(checks).join(", ")}.`);
    return 2;
  }
  const missing = await missingPrograms();
  if (missing.length > 0) {
    console.error(missing.join("\n"));
    return 1;
  }
  console.log("Installing what is not there yet:");
  const [moto, dynamoDbLocal, lambdaNode] = await Promise.all([
    installMoto(),
    installDynamoDbLocal(),
    installLambdaNode(),
  ]);
  const programs = { moto, dynamoDbLocal, lambdaNode };
  const tests = values.tests ?? null;
  const started = new Map<string, Promise<ShownRow>>();
  for (const name of names.filter((name) => checks[name]?.beside)) {
    let text = "";
    const keep = (more: string) => {
      text += more;
    };
    const ended = runCheck({ name, programs, tests, print: keep }).catch((error: unknown) => ({
      name,
      tally: { passed: 0, failed: 0, problem: String(error) },
      seconds: 0,
    }));
    started.set(
      name,
      ended.then((row) => ({ ...row, text: () => text })),
    );
  }
  const rows: Row[] = [];
  for (const name of names) {
    const beside = await started.get(name);
    if (beside !== undefined) process.stdout.write(beside.text());
    rows.push(beside ?? (await runCheck({ name, programs, tests, print: (text) => process.stdout.write(text) })));
  }
  printTable(rows);
  return rows.every(({ tally }) => hasPassed(tally)) ? 0 : 1;
}

async function runCheck({ name, programs, tests, print }: CheckRun): Promise<Row> {
  const check = checks[name];
  if (check === undefined) throw new Error(`There is no check ${name}.`);
  print(`\n=== ${name}: ${check.shows}\n`);
  const started = performance.now();
  let tally: TestTally;
  // New servers for each check: none sees what another has left behind, and an emulator grows slower with what it holds.
  const services = await Promise.allSettled([
    startMoto(groups, programs.moto),
    startDynamoDbLocal(groups, programs.dynamoDbLocal),
  ]);
  const [moto, dynamo] = services.map((service) => (service.status === "fulfilled" ? service.value : null));
  if (moto && dynamo) {
    const dynamoUrl = check.dynamo === "moto" ? moto.url : dynamo.url;
    const outcome = await runTests(groups, {
      ...check,
      tests,
      print,
      env: environment(moto.url, dynamoUrl, programs),
    });
    if (name === "parity") print(`\n${parityTable(outcome.results)}\n`);
    tally = outcome;
  } else {
    const failed = services.flatMap((service) => (service.status === "rejected" ? [String(service.reason)] : []));
    tally = { passed: 0, failed: 0, problem: failed.join("; ") };
  }
  for (const service of [moto, dynamo]) if (service) await groups.end(service.child);
  return { name, tally, seconds: (performance.now() - started) / 1000 };
}

/** What the tests find in their environment. An endpoint and credentials for all of AWS, so that no test can reach a real account. */
function environment(aws: string, dynamo: string, programs: Programs): Record<string, string> {
  // The file of the environment may not be there, which Terraform warns of at each command.
  const terraformConfig = join(installFolder, "terraform.rc");
  writeFileSync(terraformConfig, "");
  return {
    EVENTPULSE_TEST_AWS_URL: aws,
    EVENTPULSE_TEST_DYNAMODB_URL: dynamo,
    EVENTPULSE_TEST_LAMBDA_NODE: programs.lambdaNode,
    EVENTPULSE_TEST_CFN_LINT: join(programs.moto, "cfn-lint"),
    AWS_ENDPOINT_URL: aws,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_SESSION_TOKEN: "",
    AWS_PROFILE: "",
    CHECKPOINT_DISABLE: "1",
    TF_CLI_CONFIG_FILE: terraformConfig,
  };
}

function hasPassed({ failed, problem }: TestTally): boolean {
  return failed === 0 && problem === null;
}

function printTable(rows: readonly Row[]): void {
  console.log("");
  for (const { name, tally, seconds } of rows) {
    const result = hasPassed(tally) ? "passed" : "FAILED";
    const counts = `${tally.passed} passed, ${tally.failed} failed`;
    const why = tally.problem === null ? "" : `: ${tally.problem}`;
    console.log(`${name.padEnd(10)} ${result} ${seconds.toFixed(0).padStart(5)} s   ${counts}${why}`);
  }
}
