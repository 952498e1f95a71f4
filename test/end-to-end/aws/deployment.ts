import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../tidy/project-files.ts";
import { EmulatedAws } from "./emulated-aws.ts";
import type { EventSourceMapping } from "./event-source.ts";
import type { DeployedFunction } from "./function-instance.ts";
import { initTerraform } from "./terraform.ts";

/** What Terraform made, as AWS says that it is. */
export interface Deployment {
  readonly aws: EmulatedAws;
  readonly stage: string;
  readonly table: string;
  readonly buckets: readonly string[];
  readonly rawBucket: string;
  readonly rawQueueUrl: string;
  readonly queueUrls: readonly string[];
  readonly secretArn: string;
  /** Queues that call functions. */
  readonly eventSources: readonly (EventSourceMapping & { readonly function: string })[];
  /** What Scheduler sends to functions. */
  readonly schedules: readonly { readonly function: string; readonly event: unknown }[];
  /** By function, what its code may call: actions and ARNs. */
  readonly permissions: Readonly<Record<string, { readonly code: readonly Statement[] }>>;
  /** The functions at this moment, with the code that is in `zips`. Throws when AWS holds another code. */
  functions(zips: string, unpacked: string): Promise<readonly DeployedFunction[]>;
  /** Puts the zips of a folder in the place of the functions' code. */
  replaceCode(zips: string): Promise<void>;
}

export interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

interface Outputs {
  readonly secret_arn: string;
  readonly table: string;
  readonly buckets: Readonly<Record<string, string>>;
  readonly queues: Readonly<Record<string, string>>;
  readonly functions: Readonly<Record<string, { readonly name: string }>>;
  readonly event_sources: Readonly<
    Record<string, { function: string; queue_arn: string; batch_size: number; window_seconds: number }>
  >;
  readonly schedules: Readonly<Record<string, string>>;
  readonly function_permissions: Deployment["permissions"];
}

interface FunctionConfiguration {
  readonly FunctionName: string;
  readonly FunctionArn: string;
  readonly Timeout: number;
  readonly MemorySize: number;
  readonly CodeSha256: string;
  readonly Runtime: string;
  readonly Handler: string;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
}

export interface DeployOptions {
  readonly aws: string;
  readonly stage: string;
  /** Terraform works and keeps its state here. */
  readonly folder: string;
  readonly zips: string;
  readonly publicUrl: string;
  /** Besides `default`. */
  readonly tenants: readonly string[];
}

const region = "eu-central-1";

/**
 * Applies `infra/` to the emulator. Off, besides what the emulator cannot do: what costs time and has its own test (network,
 * replication, threat detection); API Gateway's key, since clients of the scenarios send only that of the product; and the
 * window in which SQS gathers a batch, which would add a second to each object.
 */
export async function deploy({
  aws: url,
  stage,
  folder,
  zips,
  publicUrl,
  tenants,
}: DeployOptions): Promise<Deployment> {
  const aws = new EmulatedAws(url, region);
  const terraform = await initTerraform(folder);
  const variables = {
    stage,
    region,
    lambda_dir: zips,
    openapi_file: join(zips, "openapi.json"),
    public_url: publicUrl,
    tenants: JSON.stringify(tenants),
    destroyable: true,
    gateway_key_required: false,
    enable_vpc: false,
    enable_replication: false,
    enable_guardduty: false,
    raw_batch_window_seconds: 0,
  };
  const given = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`);
  const file = `-var-file=${join(projectRoot, "infra", "emulator.tfvars")}`;
  // The provider waits 25 s for each queue to settle; all of them at once.
  await terraform.run("apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=30", file, ...given);
  const outputs = (await terraform.outputs()) as unknown as Outputs;
  const queueUrlOf = (arn: string) => {
    const name = arn.split(":").at(-1) ?? "";
    return Object.values(outputs.queues).find((queue) => queue.endsWith(`/${name}`)) ?? "";
  };
  return {
    aws,
    stage,
    table: outputs.table,
    buckets: Object.values(outputs.buckets),
    rawBucket: outputs.buckets["raw"] ?? "",
    rawQueueUrl: outputs.queues["raw"] ?? "",
    queueUrls: Object.values(outputs.queues),
    secretArn: outputs.secret_arn,
    permissions: outputs.function_permissions,
    eventSources: Object.values(outputs.event_sources).map((source) => ({
      function: source.function,
      queueUrl: queueUrlOf(source.queue_arn),
      queueArn: source.queue_arn,
      region,
      batchSize: source.batch_size,
      windowSeconds: source.window_seconds,
      reportsItemFailures: true,
    })),
    schedules: await Promise.all(Object.keys(outputs.schedules).map((name) => scheduleOf(aws, stage, name))),
    functions: (zipFolder, unpacked) =>
      Promise.all(
        Object.entries(outputs.functions).map(([name, { name: functionName }]) =>
          functionOf(aws, { name, functionName, zips: zipFolder, unpacked }),
        ),
      ),
    replaceCode: async (zipFolder) => {
      for (const [name, { name: functionName }] of Object.entries(outputs.functions)) {
        const ZipFile = (await readFile(join(zipFolder, `${name}.zip`))).toString("base64");
        await aws.call("lambda", `/2015-03-31/functions/${functionName}/code`, { ZipFile }, "PUT");
      }
    },
  };
}

async function scheduleOf(aws: EmulatedAws, stage: string, name: string) {
  const full = `eventpulse-${stage}-${name}`;
  interface Schedule {
    readonly Target: { readonly Arn: string; readonly Input?: string };
  }
  const { Target } = await aws.call<Schedule>("scheduler", `/schedules/${full}?groupName=eventpulse-${stage}`);
  const called = Target.Arn.split(":").at(-1) ?? "";
  return { function: called.slice(`eventpulse-${stage}-`.length), event: JSON.parse(Target.Input ?? "{}") as unknown };
}

async function functionOf(
  aws: EmulatedAws,
  options: {
    readonly name: string;
    readonly functionName: string;
    readonly zips: string;
    readonly unpacked: string;
  },
): Promise<DeployedFunction> {
  const { name, functionName, zips, unpacked } = options;
  const path = `/2015-03-31/functions/${functionName}/configuration`;
  const deployed = await aws.call<FunctionConfiguration>("lambda", path);
  const zip = await readFile(join(zips, `${name}.zip`));
  const expected = hash("sha256", zip, "base64");
  if (deployed.CodeSha256 !== expected)
    throw new Error(`${functionName}: AWS holds ${deployed.CodeSha256}, the zip that was built is ${expected}`);
  if (deployed.Handler !== "index.handler" || deployed.Runtime !== "nodejs22.x")
    throw new Error(`${functionName} is deployed for ${deployed.Runtime}, ${deployed.Handler}`);
  return {
    name,
    functionName,
    arn: deployed.FunctionArn,
    timeoutSeconds: deployed.Timeout,
    memoryMegabytes: deployed.MemorySize,
    environment: deployed.Environment?.Variables ?? {},
    codeFolder: join(unpacked, name),
  };
}
