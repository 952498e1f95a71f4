import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import { DeleteObjectsCommand, ListObjectVersionsCommand, S3Client } from "@aws-sdk/client-s3";
import { PurgeQueueCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Deployment } from "./deployment.ts";

/** Leaves nothing of a scenario to the next one: a new table as the deployed one is described, no message, no object. */
export async function emptyStore(deployment: Deployment, dynamo: DynamoDBClient, sqs: SQSClient): Promise<void> {
  const { aws, queueUrls, buckets } = deployment;
  const client = {
    endpoint: aws.url,
    region: aws.region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    forcePathStyle: true,
  };
  const deployed = new DynamoDBClient(client);
  const s3 = new S3Client(client);
  try {
    await renewTable(deployment.table, deployed, dynamo);
    for (const QueueUrl of queueUrls) await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    for (const bucket of buckets) await emptyBucket(s3, bucket);
  } finally {
    deployed.destroy();
    s3.destroy();
  }
}

/** DynamoDB itself is Amazon's local one; what its table is like the emulator says, where Terraform made it. */
async function renewTable(name: string, deployed: DynamoDBClient, dynamo: DynamoDBClient): Promise<void> {
  const { Table } = await deployed.send(new DescribeTableCommand({ TableName: name }));
  try {
    await dynamo.send(new DeleteTableCommand({ TableName: name }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
  }
  await dynamo.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: Table?.AttributeDefinitions ?? [],
      KeySchema: Table?.KeySchema ?? [],
      GlobalSecondaryIndexes: (Table?.GlobalSecondaryIndexes ?? []).map(({ IndexName, KeySchema, Projection }) => ({
        IndexName: IndexName ?? "",
        KeySchema: KeySchema ?? [],
        Projection: Projection ?? {},
      })),
    }),
  );
}

async function emptyBucket(s3: S3Client, Bucket: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key = "", VersionId }) => ({
      Key,
      ...(VersionId !== undefined && { VersionId }),
    }));
    if (Objects.length === 0) return;
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
  }
}
