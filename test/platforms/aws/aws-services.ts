import { randomUUID } from "node:crypto";
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { sdkOptions } from "../../../src/platforms/aws/sdk-options.ts";
import { type Clock, indexName, Table, type TableIndex } from "../../../src/platforms/aws/table.ts";

/** How a client reaches the emulator that `npm run test:aws` has started. */
export function emulator() {
  return { ...sdkOptions(), endpoint: address("EVENTPULSE_TEST_AWS_URL"), region: "us-east-1", credentials };
}

/** How a client reaches DynamoDB: by default Amazon's own local one. */
export function localDynamo() {
  return { ...sdkOptions(), endpoint: address("EVENTPULSE_TEST_DYNAMODB_URL"), region: "us-east-1", credentials };
}

export interface TestTable {
  readonly table: Table;
  readonly client: DynamoDBDocumentClient;
  remove(): Promise<void>;
}

/** An empty table of its own, as `infra/` makes it. */
export async function testTable(clock: Clock): Promise<TestTable> {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(localDynamo()), {
    marshallOptions: { removeUndefinedValues: true },
  });
  const name = `test-${randomUUID()}`;
  const index = (prefix: TableIndex) => ({
    IndexName: indexName(prefix),
    KeySchema: [
      { AttributeName: `${prefix}p`, KeyType: "HASH" as const },
      { AttributeName: `${prefix}s`, KeyType: "RANGE" as const },
    ],
    Projection: { ProjectionType: "ALL" as const },
  });
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk", "g1p", "g1s", "g2p", "g2s"].map((AttributeName) => ({
        AttributeName,
        AttributeType: "S" as const,
      })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [index("g1"), index("g2")],
    }),
  );
  return {
    table: new Table(client, name, clock),
    client,
    remove: async () => {
      await client.send(new DeleteTableCommand({ TableName: name }));
      client.destroy();
    },
  };
}

const credentials = { accessKeyId: "test", secretAccessKey: "test" };

function address(name: string): string {
  const url = process.env[name];
  if (url === undefined) throw new Error(`${name} is not set: run these tests with "npm run test:aws"`);
  return url;
}
