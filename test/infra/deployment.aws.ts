import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  RestoreTableToPointInTimeCommand,
} from "@aws-sdk/client-dynamodb";
import { ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { ListQueuesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { alarmsOfStage } from "../../src/cli/aws-cost.ts";
import { stageSecrets } from "../../src/platforms/aws/secrets.ts";
import { runCli } from "../cli/run-cli.ts";
import { emulator } from "../platforms/aws/aws-services.ts";
import { emulatorArguments, type TerraformResource, TerraformWorkspace } from "./terraform-workspace.ts";

/** What the emulator answers otherwise than it was told; each is written in its notes. Attributes that a second plan would set. */
const emulatorDrift: Readonly<Record<string, readonly string[]>> = {
  // It takes `EventBridgeConfiguration`, acts on it, and leaves it out of its answer.
  "aws_s3_bucket_notification.raw": ["eventbridge"],
  // It writes the JSON of the policy with other blanks.
  'aws_sqs_queue.this["raw"]': ["redrive_policy"],
  'aws_sqs_queue.this["work"]': ["redrive_policy"],
};

interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Statements that may name everything, since their service has nothing to name. */
const mayNameEverything = ["Tracing", "Network", "NetworkNotByCode"];

describe("infra/ applied", { concurrency: false }, () => {
  const workspace = new TerraformWorkspace(null);
  const s3 = new S3Client({ ...emulator(), forcePathStyle: true });
  const sqs = new SQSClient(emulator());
  const dynamo = new DynamoDBClient({ ...emulator() });
  const secrets = new SecretsManagerClient(emulator());
  let resources: readonly TerraformResource[];
  let outputs: Readonly<Record<string, unknown>>;

  before(async () => {
    await workspace.init("dev");
    await workspace.apply();
    resources = (await workspace.resources()).filter(({ mode }) => mode === "managed");
    outputs = await workspace.outputs();
  });
  after(() => {
    for (const client of [s3, sqs, dynamo, secrets]) client.destroy();
    workspace.remove();
  });

  test("is there", (t) => {
    const kinds = new Set(resources.map(({ type }) => type));
    t.diagnostic(`applied for real: ${resources.length} resources, ${[...kinds].sort().join(", ")}`);
    assert.ok(resources.length > 150);
  });

  test("has as many alarms as eventpulse cost reckons with", () => {
    const alarms = resources.filter(({ type }) => type === "aws_cloudwatch_metric_alarm");
    assert.equal(alarms.length, alarmsOfStage);
  });

  test("has no drift but what the emulator forgets", async () => {
    const changes = await workspace.plan(emulatorArguments);
    const drift = Object.fromEntries(
      changes.map(({ address, change: { before: was, after: will } }) => {
        const names = Object.keys(will ?? {}).filter(
          (name) => JSON.stringify(was?.[name]) !== JSON.stringify(will?.[name]),
        );
        return [address, names];
      }),
    );
    assert.deepEqual(drift, emulatorDrift);
  });

  test("eventpulse doctor --stage names what differs from what is described, and ends with 5", async () => {
    const infra = join(workspace.folder, "infra");
    const doctor = async (more: string) => {
      const described = readFileSync(join(infra, "emulator.tfvars"), "utf8") + more;
      writeFileSync(join(infra, "environments", "dev.tfvars"), described);
      const flags = ["--stage", "dev", "--infra", infra, "--lambda", workspace.lambdaFolder, "--json"];
      const { code, stdout } = await runCli(["doctor", ...flags]);
      const { checks } = JSON.parse(stdout) as { checks: readonly { name: string; detail: string }[] };
      const plan = checks.find(({ name }) => name === "plan");
      assert.ok(plan !== undefined, stdout);
      return { code, differences: plan.detail.split("; ").sort() };
    };
    const drift = Object.entries(emulatorDrift).map(([address, names]) => `differs: ${address} (${names.join(", ")})`);
    assert.deepEqual(await doctor(""), { code: 5, differences: drift.sort() });
    const { code, differences } = await doctor("\nlog_retention_days = 7\n");
    assert.equal(code, 5);
    assert.ok(differences.includes('differs: aws_cloudwatch_log_group.function["http"] (retention_in_days)'));
  });

  test("hands raw objects and files of the inbox to the raw queue, and what is kept beside them to nobody", async () => {
    const { raw: Bucket } = outputs["buckets"] as Record<string, string>;
    const { raw: QueueUrl } = outputs["queues"] as Record<string, string>;
    await s3.send(new PutObjectCommand({ Bucket, Key: "uploads/readings/2026/01/01/upl_1", Body: "{}" }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "meta/raw/readings/2026/01/01/1", Body: "{}" }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "raw/readings/2026/01/01/1", Body: "{}" }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "inbox/default/readings/a b.json", Body: "{}" }));
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 }),
    );
    const events = messages.map(({ Body }) => JSON.parse(Body ?? "") as { detail: { object: { key: string } } });
    assert.deepEqual(events.map(({ detail }) => detail.object.key).sort(), [
      "inbox/default/readings/a b.json",
      "raw/readings/2026/01/01/1",
    ]);
  });

  test("has made up a secret that the functions can read, and that is not in the state", async () => {
    const secretArn = String(outputs["secret_arn"]);
    const { key, webhookSecret } = await stageSecrets(secrets, secretArn);
    assert.match(key, /^[A-Za-z0-9]{40}$/);
    assert.equal(Buffer.from(webhookSecret.slice("whsec_".length), "base64").byteLength, 24);
    const state = JSON.stringify(resources) + JSON.stringify(outputs);
    assert.ok(!state.includes(key) && !state.includes(webhookSecret));
  });

  test("gives each function what function_permissions says, by name, and nothing on everything", () => {
    const permissions = outputs["function_permissions"] as Record<string, Record<string, { actions: string[] }[]>>;
    for (const [name, { code = [] }] of Object.entries(permissions)) {
      const [role] = resources.filter(({ type, index }) => type === "aws_iam_role" && index === name);
      assert.ok(role !== undefined, `${name} has no role`);
      const granted = statementsOf(resources, "code", name);
      assert.deepEqual(
        new Set(granted.flatMap(({ Action }) => Action)),
        new Set(code.flatMap(({ actions }) => actions)),
        `${name} may do what its code calls`,
      );
      for (const { Sid = "", Resource, Effect } of [...granted, ...statementsOf(resources, "runtime", name)]) {
        if (Effect === "Deny" || mayNameEverything.includes(Sid)) continue;
        for (const resource of [Resource].flat()) assert.notEqual(resource, "*", `${name}: ${Sid}`);
      }
    }
  });

  test("lets the functions use the key only through the services that hold what is encrypted", () => {
    for (const name of Object.keys(outputs["functions"] as object)) {
      const keys = statementsOf(resources, "runtime", name).filter(({ Action }) => String(Action).includes("kms:"));
      assert.equal(keys.length, 1);
      assert.ok(keys[0]?.Condition?.["StringEquals"]?.["kms:ViaService"] !== undefined, `${name} may call KMS itself`);
    }
  });

  test("would take a restored table into use as it is, and leaves the old one alone", async () => {
    const was = String(outputs["table"]);
    const restored = `${was}-20260131`;
    const restore = { SourceTableName: was, TargetTableName: restored, UseLatestRestorableTime: true };
    await dynamo.send(new RestoreTableToPointInTimeCommand(restore));
    await workspace.run(["state", "rm", "aws_dynamodb_table.this"]);
    const named = `-var=table_name=${restored}`;
    await workspace.run([
      "import",
      "-input=false",
      "-var-file=emulator.tfvars",
      named,
      "aws_dynamodb_table.this",
      restored,
    ]);
    const changes = await workspace.plan([...emulatorArguments, named]);
    const table = changes.find(({ address }) => address === "aws_dynamodb_table.this");
    assert.deepEqual(table?.change.actions ?? ["no-op"], ["update"]);
    const actions = new Set(changes.flatMap(({ change }) => change.actions));
    assert.ok(!actions.has("delete"), JSON.stringify(changes.map(({ address, change }) => [address, change.actions])));
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: was }));
    assert.equal(Table?.TableStatus, "ACTIVE");
    // Not applied, for the time it takes: the state has the restored table, and destroy removes that one.
    await dynamo.send(new DeleteTableCommand({ TableName: was }));
  });

  test("leaves nothing when it is destroyed, with objects in its buckets", async () => {
    await workspace.destroy();
    assert.deepEqual(await workspace.resources(), []);
    const { Buckets: buckets = [] } = await s3.send(new ListBucketsCommand({}));
    const { QueueUrls: queues = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: "eventpulse-dev" }));
    const { TableNames: tables = [] } = await dynamo.send(new ListTablesCommand({}));
    assert.deepEqual(
      [...buckets.map(({ Name = "" }) => Name), ...queues, ...tables].filter((name) => name.includes("eventpulse-dev")),
      [],
    );
    const secret = new GetSecretValueCommand({ SecretId: String(outputs["secret_arn"]) });
    await assert.rejects(secrets.send(secret), { name: "ResourceNotFoundException" });
  });
});

function statementsOf(resources: readonly TerraformResource[], policy: string, index: string): Statement[] {
  const found = resources.filter(
    (resource) => resource.type === "aws_iam_role_policy" && resource.name === policy && resource.index === index,
  );
  return found.flatMap(({ values }) => (JSON.parse(String(values["policy"])) as { Statement: Statement[] }).Statement);
}
