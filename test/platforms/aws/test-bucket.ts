import { randomUUID } from "node:crypto";
import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { s3ObjectStore, s3Options } from "../../../src/platforms/aws/object-store.ts";
import { emulator } from "./aws-services.ts";

export function s3Client(): S3Client {
  return new S3Client({ ...emulator(), ...s3Options, forcePathStyle: true });
}

/** An empty bucket of its own. */
export async function testBucket() {
  const client = s3Client();
  const bucket = `test-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const objects = s3ObjectStore({ client, bucket, clock: Date.now });
  return {
    client,
    bucket,
    objects,
    async remove() {
      // Also what lies under keys that the store does not take.
      for await (const { key: Key } of objects.list("")) {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
      }
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
      client.destroy();
    },
  };
}
