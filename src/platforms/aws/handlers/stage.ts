import { randomBytes } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { bundledProject } from "../../../config/bundled-project.ts";
import type { Project } from "../../../model/definition.ts";
import { tenantDefault } from "../../../model/glossary.ts";
import { compileContract } from "../../../pipeline/process/compile-contract.ts";
import type { Contract } from "../../../pipeline/process/contract.ts";
import { dynamoContractVersions } from "../contract-versions.ts";
import { type S3ObjectStore, s3ObjectStore, s3Options } from "../object-store.ts";
import { Outbox } from "../outbox.ts";
import { PendingObjects } from "../pending-objects.ts";
import { type S3RawLog, s3RawLog } from "../raw-log.ts";
import { sdkOptions } from "../sdk-options.ts";
import { Table } from "../table.ts";
import { sqsSender } from "../work-queue.ts";
import { optional, required } from "./environment.ts";
import type { LambdaBundle } from "./lambda-bundle.ts";
import { Telemetry } from "./telemetry.ts";

/** What every function begins with; made once, when Lambda loads it. */
export interface Stage {
  readonly version: string;
  readonly project: Project;
  /** `default`, and those that `infra/` names. */
  readonly tenants: readonly string[];
  readonly contracts: ReadonlyMap<string, Contract>;
  readonly telemetry: Telemetry;
  readonly table: Table;
}

export function openStage(bundle: LambdaBundle): Stage {
  const telemetry = new Telemetry();
  const project = bundledProject(bundle, process.env);
  const dynamo = telemetry.traced(new DynamoDBClient(sdkOptions()));
  const client = DynamoDBDocumentClient.from(dynamo, { marshallOptions: { removeUndefinedValues: true } });
  return {
    version: bundle.version,
    project,
    tenants: [tenantDefault, ...(optional("tenants")?.split(",") ?? [])],
    contracts: new Map([...project.streams].map(([name, stream]) => [name, compileContract(stream)])),
    telemetry,
    table: new Table(client, required("table"), Date.now),
  };
}

/** Buckets, and the raw log in one of them. */
export interface StageObjects {
  readonly objects: S3ObjectStore;
  /** Payloads of failures that no item holds. */
  readonly quarantine: S3ObjectStore;
  readonly pending: PendingObjects;
  readonly raw: S3RawLog;
}

export function openObjects({ telemetry, table }: Stage): StageObjects {
  // Links may be used from anywhere, so they name the bucket's region; an emulator knows no bucket as a host name.
  const forcePathStyle = process.env["AWS_ENDPOINT_URL"] !== undefined;
  const client = telemetry.traced(new S3Client({ ...sdkOptions(), ...s3Options, forcePathStyle }));
  const store = (bucket: string) => s3ObjectStore({ client, bucket, clock: Date.now });
  const objects = store(required("rawBucket"));
  const pending = new PendingObjects(table);
  const raw = s3RawLog({ objects, pending, random: () => randomBytes(8).toString("hex") });
  return { objects, quarantine: store(required("quarantineBucket")), pending, raw };
}

/** The queue of work, and the table's outbox in front of it. */
export function openOutbox({ telemetry, table }: Stage): { readonly sqs: SQSClient; readonly outbox: Outbox } {
  const sqs = telemetry.traced(new SQSClient(sdkOptions()));
  return { sqs, outbox: new Outbox(table, sqsSender(sqs, required("workQueueUrl"))) };
}

/** Notes the contracts of this deployment, once; what fails is logged, and tried again with the next call. */
export function recordContracts({ table, tenants, contracts, telemetry }: Stage): () => Promise<void> {
  let noted = false;
  return async () => {
    if (noted) return;
    try {
      const versions = dynamoContractVersions(table);
      for (const tenant of tenants) await versions.record(tenant, contracts.values(), Date.now());
      noted = true;
    } catch (error) {
      telemetry.error("The contracts could not be noted.", error);
    }
  };
}
