import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { freePort } from "../../../scripts/free-port.ts";
import { Table } from "../../../src/platforms/aws/table.ts";
import { httpCalls, type OtherTenant, otherTenants, type Platform, type Running } from "../running.ts";
import { type ApiGateway, startApiGateway } from "./api-gateway.ts";
import { buildFunctions } from "./build-functions.ts";
import { type Deployment, deploy } from "./deployment.ts";
import { emptyStore } from "./empty-store.ts";
import { pollEventSource } from "./event-source.ts";
import { LambdaFunction } from "./lambda-function.ts";
import { type RecordingProxy, startRecordingProxy } from "./recording-proxy.ts";
import { runSchedule } from "./schedule.ts";
import { unpackZips } from "./unpack-zips.ts";

export interface AwsPlatform extends Platform {
  start(config: string): Promise<AwsRunning>;
  /** What was deployed; null before the first start. */
  deployment(): Deployment | null;
  /** The calls of AWS by each function so far. */
  readonly proxies: ReadonlyMap<string, RecordingProxy>;
  /** Ends it all. The deployment stays in the emulator, which is ended after it. */
  close(): Promise<void>;
}

export interface AwsRunning extends Running, Account {}

/** What only the owner of the account can do, or fate. */
export interface Account {
  /** Puts an object into the raw bucket, past every door. */
  putObject(key: string, body: string, metadata?: Readonly<Record<string, string>>): Promise<void>;
  /** Sends S3's events of up to ten objects to the raw queue once more, together and in this order. */
  repeatEvents(keys: readonly string[]): Promise<void>;
  /** Takes the next events of S3 away before any function gets them. `left`: how many are still to come. */
  loseEvents(count: number): { readonly left: number };
  /** Of one function: what it has called, and a way to have calls refused. */
  proxy(name: string): RecordingProxy;
  /** The deployed table; what is written bears the time of `clock`. */
  table(clock?: () => number): Table;
  readonly s3: S3Client;
  readonly deployment: Deployment;
}

/** Calls of one function that run at once. More would only share the same two cores. */
const instancesMax: Readonly<Record<string, number>> = { http: 3, process: 2 };
/** Of the errors of a scenario's functions, which are its cause when it fails. */
const errorsShown = 5;
/** Deployed, the clock of `notify` is a minute. */
const notifySeconds = 1;
const simulateSeconds = 1;

/**
 * EventPulse as it is deployed: `infra/` applied to the emulator once, the functions built from each scenario's config and run
 * from their zips on Lambda's Node, in between what AWS puts there. Scenarios run one after the other: each begins with an empty
 * store and its own code. Everything is AWS's own or the emulator's, but for this: API Gateway, Lambda, its event source mappings
 * and Scheduler are played by the driver in this folder, DynamoDB is Amazon's local one, and clocks of a minute are of a second.
 */
export function awsPlatform(): AwsPlatform {
  const proxies = new Map<string, RecordingProxy>();
  let deploying: Promise<Site> | null = null;
  let site: Site | null = null;
  return {
    lacks: {
      "live-stream": "API Gateway waits for the whole answer of a function",
      "upload-door":
        "a link leads to S3 itself, which checks it and takes the file; what is in it is judged afterwards",
    },
    proxies,
    deployment: () => site?.deployment ?? null,
    async start(config) {
      deploying ??= openSite(config, proxies);
      site = await deploying;
      return startScenario(site, config, proxies);
    },
    async close() {
      for (const proxy of proxies.values()) await proxy.close();
      site?.sqs.destroy();
      site?.s3.destroy();
      site?.dynamo.destroy();
      if (site !== null) await rm(site.folder, { recursive: true, force: true });
    },
  };
}

/** What is made once and serves every scenario. */
interface Site {
  readonly folder: string;
  readonly deployment: Deployment;
  readonly port: number;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly dynamo: DynamoDBClient;
}

async function openSite(config: string, proxies: Map<string, RecordingProxy>): Promise<Site> {
  const aws = required("EVENTPULSE_TEST_AWS_URL");
  const dynamoUrl = required("EVENTPULSE_TEST_DYNAMODB_URL");
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-aws-"));
  const zips = join(folder, "first");
  await buildConfig(config, folder, zips);
  const port = await freePort();
  const deployment = await deploy({
    aws,
    // Another run against the same emulator finds nothing of this one.
    stage: `t${process.pid}${port}`.slice(0, 12),
    folder: join(folder, "infra"),
    zips,
    publicUrl: `http://127.0.0.1:${port}`,
    tenants: otherTenants,
  });
  await giveKeys(deployment);
  const { region } = deployment.aws;
  const client = { region, credentials: { accessKeyId: "test", secretAccessKey: "test" } };
  for (const { name } of await deployment.functions(zips, folder)) {
    proxies.set(name, await startRecordingProxy({ upstream: { dynamodb: dynamoUrl, other: aws } }));
  }
  return {
    folder,
    deployment,
    port,
    sqs: new SQSClient({ ...client, endpoint: aws }),
    s3: new S3Client({ ...client, endpoint: aws, forcePathStyle: true }),
    dynamo: new DynamoDBClient({ ...client, endpoint: dynamoUrl }),
  };
}

async function startScenario(
  site: Site,
  config: string,
  proxies: ReadonlyMap<string, RecordingProxy>,
): Promise<AwsRunning> {
  const { deployment, port, sqs } = site;
  await emptyStore(deployment, site.dynamo, sqs);
  for (const proxy of proxies.values()) proxy.admitAll();
  const events = { left: 0 };
  const isLost = () => events.left > 0 && events.left-- > 0;
  const mailsBefore = new Map([...proxies].map(([name, { mails }]) => [name, mails.length]));
  let functions = await install(site, config, proxies);
  const target = (name: string) => () => {
    const found = functions.get(name);
    if (found === undefined) throw new Error(`There is no function ${name}.`);
    return found;
  };
  const gateway = await startApiGateway({ port, stage: deployment.stage, throttle: null, target: target("http") });
  const stops = deployment.eventSources.map((source) => {
    const isRaw = source.queueUrl === deployment.rawQueueUrl;
    return pollEventSource(sqs, source, target(source.function), isRaw ? isLost : undefined);
  });
  for (const { function: name, event } of deployment.schedules) {
    if (name === "simulate" && !/\bsimulator\(/.test(config)) continue;
    stops.push(runSchedule(name === "notify" ? notifySeconds : simulateSeconds, event, target(name)));
  }
  const { key, tenantKeys } = await secretOf(deployment);
  const url = `http://127.0.0.1:${port}`;
  return {
    ...httpCalls(url, key),
    of: (tenant) => httpCalls(url, tenantKeys[tenant]),
    async reconfigure(text) {
      const next = await install(site, text, proxies);
      const before = functions;
      functions = next;
      for (const lambda of before.values()) lambda.end();
    },
    mails: async () => [...proxies].flatMap(([name, { mails }]) => mails.slice(mailsBefore.get(name))),
    ...accountOf(site, proxies, events),
    close: () => stopScenario(gateway, stops, functions),
  };
}

function accountOf(
  { deployment, s3, sqs, dynamo }: Site,
  proxies: ReadonlyMap<string, RecordingProxy>,
  events: { left: number },
): Account {
  const client = DynamoDBDocumentClient.from(dynamo);
  return {
    putObject: async (Key, Body, Metadata = {}) => {
      await s3.send(new PutObjectCommand({ Bucket: deployment.rawBucket, Key, Body, Metadata }));
    },
    repeatEvents: async (keys) => {
      const Entries = keys.map((key, index) => {
        const detail = { bucket: { name: deployment.rawBucket }, object: { key } };
        const MessageBody = JSON.stringify({ "detail-type": "Object Created", source: "aws.s3", detail });
        return { Id: String(index), MessageBody };
      });
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: deployment.rawQueueUrl, Entries }));
    },
    loseEvents(count) {
      events.left += count;
      return events;
    },
    proxy(name) {
      const found = proxies.get(name);
      if (found === undefined) throw new Error(`There is no function ${name}.`);
      return found;
    },
    table: (clock = Date.now) => new Table(client, deployment.table, clock),
    s3,
    deployment,
  };
}

async function stopScenario(
  gateway: ApiGateway,
  stops: readonly (() => Promise<void>)[],
  functions: ReadonlyMap<string, LambdaFunction>,
): Promise<void> {
  await gateway.close();
  // Ended first: a call that is under way would otherwise be waited for.
  for (const lambda of functions.values()) lambda.end();
  await Promise.all(stops.map((stop) => stop()));
  const errors = new Set([...functions.values()].flatMap((lambda) => lambda.errors));
  if (errors.size > 0) console.error(`Errors of functions:\n${[...errors].slice(0, errorsShown).join("\n")}`);
}

/** Builds a config and puts it in the place of the deployed code, as a second `terraform apply` would. */
async function install(
  { folder, deployment }: Site,
  config: string,
  proxies: ReadonlyMap<string, RecordingProxy>,
): Promise<ReadonlyMap<string, LambdaFunction>> {
  const build = await mkdtemp(join(folder, "build-"));
  const zips = join(build, "lambda");
  await buildConfig(config, build, zips);
  await deployment.replaceCode(zips);
  const unpacked = join(build, "code");
  await unpackZips(zips, unpacked);
  const lambdaNode = required("EVENTPULSE_TEST_LAMBDA_NODE");
  const functions = await deployment.functions(zips, unpacked);
  return new Map(
    functions.map((deployed) => {
      const endpoint = proxies.get(deployed.name)?.url ?? "";
      // The SDK sends what is for a queue to the address in its URL, past the proxy.
      const environment = Object.fromEntries(
        Object.entries(deployed.environment).map(([name, value]) => [
          name,
          value.replace(deployment.aws.url, endpoint),
        ]),
      );
      const options = {
        lambdaNode,
        instancesMax: instancesMax[deployed.name] ?? 1,
        endpoint,
        region: deployment.aws.region,
      };
      return [deployed.name, new LambdaFunction({ ...deployed, environment }, options)];
    }),
  );
}

async function buildConfig(config: string, folder: string, zips: string): Promise<void> {
  const file = join(folder, "eventpulse.config.ts");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, config);
  await buildFunctions(file, zips);
}

interface Secret {
  readonly key: string;
  readonly tenantKeys: Readonly<Record<OtherTenant, string>>;
}

async function secretOf(deployment: Deployment): Promise<Secret> {
  const { SecretString } = await callSecrets<{ SecretString: string }>(deployment, "GetSecretValue", {});
  return JSON.parse(SecretString) as Secret;
}

/** In the secret, of a tenant that the stage does not name. */
export const keyOfNobody = "the-key-of-the-tenant-nobody";

/** Writes a key for each tenant into the secret, as docs/aws.md says. */
async function giveKeys(deployment: Deployment): Promise<void> {
  const named = otherTenants.map((tenant) => [tenant, `the-key-of-the-tenant-${tenant}`] as const);
  const tenantKeys = { ...Object.fromEntries(named), nobody: keyOfNobody };
  const SecretString = JSON.stringify({ ...(await secretOf(deployment)), tenantKeys });
  await callSecrets(deployment, "PutSecretValue", { SecretString });
}

function callSecrets<Answer>({ aws, secretArn }: Deployment, action: string, input: object): Promise<Answer> {
  const target = { "x-amz-target": `secretsmanager.${action}` };
  return aws.call<Answer>("secretsmanager", "/", { SecretId: secretArn, ...input }, "POST", target);
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run these tests with "npm run test:aws"`);
  return value;
}
