import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TerraformWorkspace } from "./terraform-workspace.ts";

/** Everything that can be switched on, on top of a stage. */
const everything = {
  enable_guardduty: true,
  enable_malware_protection: true,
  enable_vpc: true,
  enable_replication: true,
  enable_pipeline: true,
  enable_composite_alarm: true,
  enable_simulator: true,
  gateway_key_required: true,
  manage_gateway_logging_role: true,
  mail_from: "events@example.com",
  alert_emails: ["alerts@example.com"],
  failure_emails: ["operations@example.com"],
  upload_origins: ["https://app.example.com"],
  permissions_boundary_arn: "arn:aws:iam::123456789012:policy/eventpulse-boundary-eu-central-1",
  pipeline: { repository: "example/events", state_bucket: "state", state_key: "key", lock_table: "lock" },
  emulator: true,
  max_retries: 2,
};

const everythingArguments = Object.entries(everything).map(
  ([name, value]) => `-var=${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
);

/** Kinds of resources that a stage with everything on has besides those that the emulator is given. */
const onlyPlanned = [
  "aws_budgets_budget",
  "aws_cloudtrail",
  "aws_cloudwatch_composite_alarm",
  "aws_codebuild_project",
  "aws_codepipeline",
  "aws_codestarconnections_connection",
  "aws_guardduty_malware_protection_plan",
  "aws_lambda_event_source_mapping",
  "aws_sqs_queue_redrive_allow_policy",
  "aws_xray_group",
  "aws_xray_sampling_rule",
];

/** What `modules/bucket` makes for each bucket; its own test says how. */
const bucketParts = [
  "aws_s3_bucket_lifecycle_configuration",
  "aws_s3_bucket_ownership_controls",
  "aws_s3_bucket_policy",
  "aws_s3_bucket_public_access_block",
  "aws_s3_bucket_server_side_encryption_configuration",
  "aws_s3_bucket_versioning",
];

describe("infra/ as Terraform reads it", () => {
  const workspace = new TerraformWorkspace(null);
  before(() => workspace.initWithoutState());
  after(() => workspace.remove());

  test("is formatted", async () => {
    const { code, output } = await workspace.try(["fmt", "-check", "-recursive"]);
    assert.equal(code, 0, `run "terraform fmt -recursive infra": ${output}`);
  });
  test("is valid", async () => {
    await workspace.run(["validate"]);
  });
  test("holds its own tests", async () => {
    const output = await workspace.run(["test"]);
    assert.match(output, /Success! \d+ passed, 0 failed\./);
  });
});

describe("infra/ as planned for an empty account", () => {
  const workspace = new TerraformWorkspace(null);
  before(() => workspace.init("dev"));
  after(() => workspace.remove());

  for (const stage of ["dev", "prod"]) {
    test(`${stage}, with everything on, is only made, and is everything`, async (t) => {
      const changes = await workspace.plan([`-var-file=environments/${stage}.tfvars`, ...everythingArguments]);
      assert.deepEqual(new Set(changes.map(({ change }) => change.actions.join())), new Set(["create"]));
      const types = new Set(changes.map(({ type }) => type));
      for (const type of onlyPlanned) assert.ok(types.has(type), `${type} is not in the plan`);
      const planned = (type: string) => changes.filter((change) => change.type === type);
      const buckets = planned("aws_s3_bucket");
      for (const type of bucketParts) assert.equal(planned(type).length, buckets.length, `a ${type} for each bucket`);
      const destroyable = buckets.filter(({ change }) => change.after?.["force_destroy"] === true);
      // What one stage of the pipeline hands to the next is nobody's data.
      assert.equal(destroyable.length, stage === "dev" ? buckets.length : 1);
      t.diagnostic(`${changes.length} resources of ${types.size} kinds`);
    });
    test(`${stage} as it is in the repository can be planned`, async () => {
      const emulated = ["-var=emulator=true", "-var=max_retries=2"];
      const changes = await workspace.plan([`-var-file=environments/${stage}.tfvars`, ...emulated]);
      assert.ok(changes.length > 100);
    });
  }
});
