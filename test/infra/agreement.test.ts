import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { errorCodes } from "../../src/model/error.ts";
import { limits, retentionMillisDefault } from "../../src/model/limits.ts";
import { uploadKeys } from "../../src/pipeline/ingest/upload-ticket.ts";
import { sidecarKey } from "../../src/platforms/aws/encode-raw-meta.ts";
import { indexName } from "../../src/platforms/aws/table.ts";
import { projectRoot } from "../tidy/project-files.ts";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
const infra = new Map(
  readdirSync(join(projectRoot, "infra"))
    .filter((name) => /\.(?:tf|tfvars)$/.test(name))
    .map((name) => [name, read(`infra/${name}`)]),
);
const file = (name: string) => infra.get(name) ?? "";
const all = [...infra.values()].join("\n");

/** The whole number after `name =` in a file. */
function numberIn(name: string, setting: string): number {
  const found = new RegExp(`\\b${setting}\\s*=\\s*(\\d+)`).exec(file(name))?.[1];
  assert.ok(found !== undefined, `${name} sets no ${setting}`);
  return Number(found);
}

interface Variable {
  readonly name: string;
  readonly text: string;
}
const variables: readonly Variable[] = file("variables.tf")
  .split(/^variable /m)
  .slice(1)
  .map((text) => ({ name: /^"(\w+)"/.exec(text)?.[1] ?? "", text: text.split(/^}/m)[0] ?? "" }));

describe("infra/ agrees with the code", () => {
  test("a message is tried as often as an event", () => {
    assert.equal(numberIn("queues.tf", "receive_count_max"), limits.attemptsMax);
  });
  test("raw objects are kept as long as the config keeps them by default", () => {
    const text = variables.find(({ name }) => name === "retention_days")?.text ?? "";
    const days = /default\s*=\s*(\d+)/.exec(text)?.[1];
    assert.equal(Number(days) * 24 * 60 * 60 * 1000, retentionMillisDefault);
  });
  test("an answer is given up before the client's time is over, an object after its own", () => {
    const seconds = [...file("functions.tf").matchAll(/timeout\s*=\s*(\d+)$/gm)].map(([, value]) => Number(value));
    assert.deepEqual(seconds, [29, 60, 60, 60, 60]);
    assert.ok((seconds[0] ?? 0) < limits.requestTimeoutSeconds);
    assert.ok((seconds[1] ?? 0) > limits.objectSecondsMax);
  });
  test("objects lie where the rule and the permissions look", () => {
    const keys = uploadKeys(`upl_20260101_readings_${"0".repeat(24)}`);
    const prefix = (name: string) => new RegExp(`${name}\\s*=\\s*"([^"]+)"`).exec(file("storage.tf"))?.[1] ?? "-";
    assert.ok(keys?.raw.startsWith(prefix("raw_prefix")));
    assert.ok(keys?.ticket.startsWith(prefix("ticket_prefix")));
    assert.ok(sidecarKey(keys?.raw ?? "").startsWith(prefix("sidecar_prefix")));
    assert.match(file("ingest.tf"), /prefix = local\.raw_prefix.*prefix = local\.inbox_prefix/);
  });
  test("the table's indexes have the names that are asked for", () => {
    assert.equal(indexName("g1"), "g1-index");
    assert.match(file("table.tf"), /name\s*=\s*"\$\{global_secondary_index\.value\}-index"/);
    assert.match(file("permissions.tf"), /index\/g1-index".*index\/g2-index"/);
  });
  test("what API Gateway answers by itself has the codes, statuses and titles of the product", () => {
    const answers = [...file("api.tf").matchAll(/status = (\d+), code = "(\w+)", title = "([^"]+)"/g)];
    assert.ok(answers.length >= 7);
    for (const [, status, code = "", title] of answers) {
      const known = (errorCodes as Record<string, { status: number; title: string }>)[code];
      assert.deepEqual({ status: Number(status), title }, { status: known?.status, title: known?.title }, code);
    }
  });
});

describe("infra/ keeps its own rules", () => {
  test("every variable and output says what it is, every variable its type", () => {
    for (const { name, text } of variables) {
      assert.match(text, /^ {2}description = ".{20,}"$/m, name);
      assert.match(text, /^ {2}type\s+= /m, name);
    }
    for (const output of file("outputs.tf")
      .split(/^output /m)
      .slice(1))
      assert.match(output, /^ {2}description = /m);
  });
  test("every number and every text that has a range is checked", () => {
    const unchecked = variables.filter(
      ({ text }) => /type\s+= (?:number|string)/.test(text) && !text.includes("validation {"),
    );
    assert.deepEqual(
      unchecked.map(({ name }) => name),
      ["openapi_file"],
    );
  });
  test("what costs without traffic says how much a month", () => {
    const costing =
      /enable_(?:guardduty|vpc|replication|pipeline|alarms|composite_alarm|dashboard|malware_protection)$/;
    for (const { name, text } of variables.filter(({ name }) => costing.test(name))) assert.match(text, /\d USD/, name);
  });
  test("every variable is used", () => {
    for (const { name } of variables) assert.match(all, new RegExp(`var\\.${name}\\b`), name);
  });
  test("what is off for the emulator says why", () => {
    const lines = file("emulator.tfvars").split("\n");
    for (const [index, line] of lines.entries()) {
      if (/= false$/.test(line)) assert.match(lines[index - 1] ?? "", /^# \S/, line);
    }
  });
  test("no zip, state or address of an emulator is in the repository", () => {
    assert.doesNotMatch(all, /127\.0\.0\.1|localhost|endpoints? \{/);
  });
});

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly if?: string;
        readonly permissions?: Readonly<Record<string, string>>;
        readonly "timeout-minutes"?: number;
        readonly steps: readonly {
          readonly uses?: string;
          readonly run?: string;
          readonly with?: Record<string, unknown>;
        }[];
      }
    >
  >;
}

describe("workflows and buildspecs", () => {
  for (const name of ["ci", "deploy"]) {
    const workflow = parse(read(`.github/workflows/${name}.yml`)) as Workflow;
    test(`${name}: the least permissions, a time limit, one run at a time, pinned actions`, () => {
      assert.deepEqual(workflow.permissions, { contents: "read" });
      assert.ok(workflow.concurrency.group.includes("${{"));
      for (const job of Object.values(workflow.jobs)) {
        assert.ok((job["timeout-minutes"] ?? Number.POSITIVE_INFINITY) <= 60);
        for (const { uses, run, with: inputs } of job.steps) {
          if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w-]+@v\d+$/);
          if (uses?.startsWith("actions/checkout")) assert.equal(inputs?.["persist-credentials"], false);
          // What somebody typed into a pull request must not become part of a command.
          assert.doesNotMatch(run ?? "", /\$\{\{\s*github\./);
        }
      }
    });
  }
  test("an empty AWS_BOUNDARY_ARN means no boundary: the variable is set only where there is one", () => {
    for (const name of ["ci", "deploy"]) {
      const text = read(`.github/workflows/${name}.yml`);
      assert.doesNotMatch(text, /TF_VAR_permissions_boundary_arn:/);
      assert.match(
        text,
        /- if: vars\.AWS_BOUNDARY_ARN != ''\n\s+run: echo "TF_VAR_permissions_boundary_arn=\$BOUNDARY_ARN"/,
      );
    }
  });
  test("only jobs that take a role may ask for an identity, and deploying only from main", () => {
    const { jobs } = parse(read(".github/workflows/deploy.yml")) as Workflow;
    assert.match(jobs["deploy"]?.if ?? "", /refs\/heads\/main/);
    const ci = parse(read(".github/workflows/ci.yml")) as Workflow;
    const identified = Object.entries(ci.jobs).filter(([, { permissions }]) => permissions?.["id-token"] === "write");
    assert.deepEqual(
      identified.map(([name]) => name),
      ["plan"],
    );
  });
  test("each build of the pipeline has its buildspec, with Terraform of one version everywhere", () => {
    const builds = ["test", "plan", "apply", "smoke"];
    assert.match(file("pipeline.tf"), /toset\(\["test", "plan", "apply", "smoke"\]\)/);
    for (const build of builds)
      assert.equal((parse(read(`infra/buildspecs/${build}.yml`)) as { version: number }).version, 0.2);
    const texts = [
      ...builds.map((build) => `infra/buildspecs/${build}.yml`),
      ".github/workflows/ci.yml",
      ".github/workflows/deploy.yml",
    ];
    const versions = texts.flatMap((path) =>
      [...read(path).matchAll(/TERRAFORM_VERSION: (\S+)/g)].map(([, version]) => version),
    );
    assert.deepEqual(new Set(versions), new Set(["1.11.4"]));
  });
});

describe("the bootstrap stack", () => {
  interface Template {
    readonly Resources: Readonly<
      Record<string, { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }>
    >;
  }
  const ignoreTags = ["!Ref", "!GetAtt", "!Sub", "!Equals", "!If"].map((tag) => ({
    tag,
    ...(tag === "!Equals" || tag === "!If" ? { collection: "seq" as const } : { resolve: (text: string) => text }),
  }));
  const template = parse(read("infra/bootstrap/bootstrap.yaml"), {
    customTags: ignoreTags as never,
    logLevel: "error",
  }) as Template;

  test("lets only this repository and branch deploy", () => {
    const trust = JSON.stringify(template.Resources["DeployRole"]?.Properties["AssumeRolePolicyDocument"]);
    assert.match(
      trust,
      /"token\.actions\.githubusercontent\.com:sub":"repo:\$\{Repository\}:ref:refs\/heads\/\$\{Branch\}"/,
    );
    assert.ok(trust.includes('"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"'));
    assert.ok(!trust.includes("pull_request"));
  });
  test("lets a deployment use the state, and delete neither its versions nor what holds it", () => {
    const { Statement: statements } = template.Resources["StateAccess"]?.Properties["PolicyDocument"] as {
      readonly Statement: readonly {
        readonly Sid: string;
        readonly Effect: string;
        readonly NotAction?: readonly string[];
      }[];
    };
    const denied = statements.filter(({ Effect }) => Effect === "Deny");
    assert.deepEqual(
      denied.map(({ Sid }) => Sid),
      ["BucketStays", "StateStays", "LockTableStays", "KeyStays"],
    );
    const left = denied.flatMap(({ NotAction = [] }) => NotAction);
    for (const action of left)
      assert.match(action, /:(?:Get|List|Describe|Decrypt|Generate|PutItem|PutObject$|Delete(?:Item|Object)$)/);
    const attached = JSON.stringify(template.Resources["DeployRole"]?.Properties["ManagedPolicyArns"]);
    assert.ok(attached.includes("StateAccess"));
  });
  test("can stand in two regions of an account: what it names there once ends with the region", () => {
    for (const [name, { Properties }] of Object.entries(template.Resources)) {
      for (const kind of ["RoleName", "ManagedPolicyName", "BucketName"]) {
        const named = Properties[kind];
        if (named !== undefined) assert.match(String(named), /-\$\{AWS::Region\}$/, name);
      }
    }
  });
  test("lets plans refresh the secrets of stages, which the provider reads whole, and no other", () => {
    const role = JSON.stringify(template.Resources["PlanRole"]?.Properties["Policies"]);
    assert.match(role, /"Allow","Action":"secretsmanager:GetSecretValue","Resource":"[^"]+:secret:eventpulse-\*"/);
    assert.match(role, /"secretsmanager:GetSecretValue"\],"NotResource":"[^"]+:secret:eventpulse-\*"/);
    // Encrypted with the key of the stage: reading needs that as well.
    assert.match(role, /"kms:EncryptionContext:SecretARN":"[^"]+:secret:eventpulse-\*"/);
  });
  test("bounds every role that a deployment makes, and lets the deploy role not change itself", () => {
    const policy = JSON.stringify(template.Resources["DeployServices"]?.Properties["PolicyDocument"]);
    assert.match(policy, /"Sid":"RolesOnlyWithBoundary".*"iam:CreateRole".*iam:PermissionsBoundary/);
    assert.match(policy, /"Sid":"NotItself","Effect":"Deny"/);
  });
  test("has policies that IAM takes: 6,144 characters at most", () => {
    for (const [name, { Type, Properties }] of Object.entries(template.Resources)) {
      if (Type !== "AWS::IAM::ManagedPolicy") continue;
      assert.ok(JSON.stringify(Properties["PolicyDocument"]).length < 6_144, name);
    }
  });
});
