import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { strToU8, zipSync } from "fflate";
import { emulator } from "../platforms/aws/aws-services.ts";
import { projectRoot } from "../tidy/project-files.ts";

export interface TerraformResult {
  readonly code: number;
  /** Both streams, in the order they came. */
  readonly output: string;
}

/** One resource of a plan or a state, as `terraform show -json` gives it. */
export interface TerraformResource {
  readonly address: string;
  readonly mode: "managed" | "data";
  readonly type: string;
  readonly name: string;
  readonly index?: string | number;
  readonly values: Readonly<Record<string, unknown>>;
}

interface TerraformModule {
  readonly resources?: readonly TerraformResource[];
  readonly child_modules?: readonly TerraformModule[];
}

export interface TerraformChange {
  readonly address: string;
  readonly type: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: Readonly<Record<string, unknown>> | null;
    readonly after: Readonly<Record<string, unknown>> | null;
  };
}

/** A plan takes seconds; an apply waits 25 s for a queue and 55 s for a lifecycle rule, all at once. */
const commandMillisMax = 280_000;
const functions = ["http", "process", "simulate", "dead-letters", "notify"];

/**
 * `infra/` in a folder of its own, so that nothing is left in the project, on the emulator that `npm run test:aws` has started.
 * The state lies there, too: in a bucket, with the lock table, as in an account.
 */
export class TerraformWorkspace {
  readonly folder: string;
  /** Where the zips are. */
  readonly lambdaFolder: string;
  readonly #env: NodeJS.ProcessEnv;

  /** `lambdaFolder` null: functions that only answer. */
  constructor(lambdaFolder: string | null) {
    this.folder = mkdtempSync(join(tmpdir(), "eventpulse-infra-"));
    this.lambdaFolder = lambdaFolder ?? placeholderZips(this.folder);
    const copied = join(this.folder, "infra");
    // Without what a command of the developer may have left: its state is not that of these tests.
    cpSync(join(projectRoot, "infra"), copied, {
      recursive: true,
      filter: (path) => !/\.terraform|\.tfstate|\.tfplan/.test(path),
    });
    const rcFile = join(this.folder, "terraform.rc");
    writeFileSync(rcFile, "");
    this.#env = {
      ...process.env,
      AWS_ENDPOINT_URL: process.env["EVENTPULSE_TEST_AWS_URL"],
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_REGION: "us-east-1",
      CHECKPOINT_DISABLE: "1",
      TF_CLI_CONFIG_FILE: rcFile,
      TF_IN_AUTOMATION: "1",
      TF_VAR_lambda_dir: this.lambdaFolder,
    };
  }

  /** Without a backend: enough to format, validate and test. */
  async initWithoutState(): Promise<void> {
    await this.run(["init", "-input=false", "-backend=false", ...pluginFolder()]);
  }

  /** With the state in the emulator, as `environments/{stage}.s3.tfbackend` says. Makes its bucket and table. */
  async init(stage: string): Promise<void> {
    const bucket = `state-${process.pid}-${Date.now().toString(36)}`;
    const s3 = new S3Client({ ...emulator(), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    s3.destroy();
    await lockTable();
    const settings = {
      bucket,
      region: "us-east-1",
      use_path_style: "true",
      skip_credentials_validation: "true",
      skip_metadata_api_check: "true",
      skip_region_validation: "true",
      skip_requesting_account_id: "true",
    };
    await this.run([
      "init",
      "-input=false",
      ...pluginFolder(),
      `-backend-config=environments/${stage}.s3.tfbackend`,
      ...Object.entries(settings).map(([name, value]) => `-backend-config=${name}=${value}`),
    ]);
  }

  /** The result whatever it is. */
  async try(args: readonly string[]): Promise<TerraformResult> {
    const [command = "", ...rest] = args;
    const full = [
      `-chdir=${join(this.folder, "infra")}`,
      command,
      ...(["fmt", "state"].includes(command) ? [] : ["-no-color"]),
      ...rest,
    ];
    return new Promise((resolve) => {
      const options = { env: this.#env, timeout: commandMillisMax, maxBuffer: 256 * 1024 * 1024 };
      execFile("terraform", full, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, output: stdout + stderr });
      });
    });
  }

  /** What it printed; throws with that when it failed. */
  async run(args: readonly string[]): Promise<string> {
    const { code, output } = await this.try(args);
    if (code !== 0) throw new Error(`terraform ${args.join(" ")} ended with ${code}:\n${problemsOf(output)}`);
    return output;
  }

  /** Applies `emulator.tfvars` and what is given besides. */
  async apply(extra: readonly string[] = []): Promise<void> {
    await this.run(["apply", "-input=false", "-auto-approve", ...emulatorArguments, ...extra]);
  }

  async destroy(extra: readonly string[] = []): Promise<void> {
    await this.run(["destroy", "-input=false", "-auto-approve", ...emulatorArguments, ...extra]);
  }

  /** Changes that a plan with these arguments would make, without what stays. */
  async plan(args: readonly string[]): Promise<readonly TerraformChange[]> {
    await this.run(["plan", "-input=false", "-parallelism=30", "-out=test.tfplan", ...args]);
    const plan = JSON.parse(await this.run(["show", "-json", "test.tfplan"])) as {
      readonly resource_changes?: readonly TerraformChange[];
    };
    return (plan.resource_changes ?? []).filter(({ change }) => !["no-op", "read"].includes(change.actions.join()));
  }

  async resources(): Promise<readonly TerraformResource[]> {
    const state = JSON.parse(await this.run(["show", "-json"])) as {
      readonly values?: { readonly root_module: TerraformModule };
    };
    const ofModule = ({ resources = [], child_modules: children = [] }: TerraformModule): TerraformResource[] => [
      ...resources,
      ...children.flatMap(ofModule),
    ];
    return ofModule(state.values?.root_module ?? {});
  }

  /** The outputs by name. */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const outputs = JSON.parse(await this.run(["output", "-json"])) as Record<string, { readonly value: unknown }>;
    return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Queues are waited for 25 s each by the provider: many at once. */
export const emulatorArguments = ["-parallelism=30", "-var-file=emulator.tfvars"] as const;

function pluginFolder(): string[] {
  const folder = process.env["TF_PLUGIN_DIR"] ?? "";
  return folder === "" ? [] : [`-plugin-dir=${folder}`];
}

function placeholderZips(folder: string): string {
  const lambdaFolder = join(folder, "lambda");
  mkdirSync(lambdaFolder);
  for (const name of functions) {
    const code = `export const handler = async () => ({ statusCode: 200, body: "${name}" });\n`;
    writeFileSync(join(lambdaFolder, `${name}.zip`), zipSync({ "index.mjs": strToU8(code) }));
  }
  return lambdaFolder;
}

async function lockTable(): Promise<void> {
  const client = new DynamoDBClient(emulator());
  const create = new CreateTableCommand({
    TableName: "eventpulse-state-lock",
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "LockID", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "LockID", KeyType: "HASH" }],
  });
  // Another workspace may have made it.
  await client.send(create).catch((error: unknown) => {
    if ((error as Error).name !== "ResourceInUseException") throw error;
  });
  client.destroy();
}

/** The errors of a long output, or its end. */
function problemsOf(output: string): string {
  const at = output.search(/^(?:│ )?Error: /m);
  return (at === -1 ? output.slice(-4_000) : output.slice(at)).slice(0, 8_000);
}
