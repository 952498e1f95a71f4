/** An object as the double of S3 holds it. */
interface HeldObject {
  readonly body: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  readonly time: Date;
}

interface S3Input {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body?: Uint8Array;
  readonly Metadata?: Record<string, string>;
  readonly ContentType?: string;
  readonly IfNoneMatch?: string;
}

/** S3 in memory: what the object store of this platform asks of it, answered as the SDK would answer. */
export class Buckets {
  readonly #objects = new Map<string, HeldObject>();

  answer(commandName: string, { Bucket, Key, ...input }: S3Input): unknown {
    const name = `${Bucket}/${Key}`;
    switch (commandName) {
      case "PutObjectCommand":
        if (input.IfNoneMatch === "*" && this.#objects.has(name)) throw httpError(412, "PreconditionFailed");
        this.#objects.set(name, {
          body: Buffer.from(input.Body ?? []),
          metadata: input.Metadata ?? {},
          contentType: input.ContentType,
          time: new Date(Date.now()),
        });
        return {};
      case "DeleteObjectCommand":
        this.#objects.delete(name);
        return {};
      case "GetObjectCommand":
      case "HeadObjectCommand":
        return this.#found(name);
      default:
        throw new Error(`the double of S3 knows no ${commandName}`);
    }
  }

  #found(name: string) {
    const object = this.#objects.get(name);
    if (object === undefined) throw httpError(404, "NoSuchKey");
    const { body, metadata, contentType, time } = object;
    return {
      Body: { transformToByteArray: async () => body },
      ContentLength: body.byteLength,
      ContentType: contentType,
      LastModified: time,
      Metadata: metadata,
      ETag: `"${time.getTime()}"`,
    };
  }
}

export function httpError(httpStatusCode: number, name: string): Error {
  return Object.assign(new Error(`${name} (injected or of the double)`), { name, $metadata: { httpStatusCode } });
}
