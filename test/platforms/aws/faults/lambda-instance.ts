import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { LambdaBundle } from "../../../../src/platforms/aws/handlers/lambda-bundle.ts";
import { Telemetry } from "../../../../src/platforms/aws/handlers/telemetry.ts";
import { type Buckets, httpError } from "./buckets.ts";
import { FaultyRequests, type TakenTransaction } from "./faulty-requests.ts";
import type { InjectedFaults } from "./injected-faults.ts";

/** What functions meet outside: what is not DynamoDB is played here. */
export interface Surroundings {
  /** Null: the emulator's S3. */
  readonly buckets: Buckets | null;
  taken(transaction: TakenTransaction): void;
  /** S3 has a new object. */
  stored(bucket: string, key: string): void;
  sent(queueUrl: string, body: string): void;
  published(notificationId: string): void;
}

/** One instance of a function: the faults of its call, and which messages it said had failed, and why. */
export interface Instance {
  readonly surroundings: Surroundings;
  faults: InjectedFaults;
  failed: Map<string, unknown>;
}

const instances = new WeakMap<Telemetry, Instance>();
let opening: Instance | null = null;

/** Calls a handler's factory as Lambda does when it loads the function; its clients are those of `instance`. */
export function load<Handler>(
  lambdaHandler: (bundle: LambdaBundle) => Handler,
  bundle: LambdaBundle,
  instance: Instance,
): Handler {
  opening = instance;
  try {
    return lambdaHandler(bundle);
  } finally {
    opening = null;
  }
}

/**
 * Puts itself where every function makes its clients and says what has failed. Answers with what undoes it. Not by `mock`, which
 * keeps a stack of each of a million calls.
 */
export function watchFunctions(): () => void {
  const instanceOf = (telemetry: Telemetry): Instance => {
    const instance = instances.get(telemetry) ?? opening;
    if (instance === null) throw new Error("a function is loaded by `load`");
    instances.set(telemetry, instance);
    return instance;
  };
  const watched: ThisType<Telemetry> & Partial<Telemetry> = {
    traced(client) {
      equip(client as object, instanceOf(this));
      return client;
    },
    count: () => undefined,
    info: () => undefined,
    error(_message, error, details = {}) {
      const { messageId } = details as { readonly messageId?: string };
      if (messageId !== undefined) instanceOf(this).failed.set(messageId, error);
    },
    async during(_requestId, work) {
      const { faults } = instanceOf(this);
      const when = faults.plan.throws;
      if (when === "before") faults.throwAtAll();
      const result = await work();
      if (when === "after") faults.throwAtAll();
      return result;
    },
  };
  return replaced(Telemetry.prototype, watched);
}

/** Replaces methods; the answer puts them back. */
export function replaced<Owner extends object>(owner: Owner, methods: Partial<Owner>): () => void {
  const before = Object.fromEntries(Object.keys(methods).map((name) => [name, Reflect.get(owner, name)]));
  Object.assign(owner, methods);
  return () => void Object.assign(owner, before);
}

/** Tries without a pause: what is tried is what a try does, not when it comes. */
const attemptsMax = 3;
const quickRetries = {
  mode: "standard",
  acquireInitialRetryToken: async () => ({ getRetryCount: () => 0, getRetryDelay: () => 0 }),
  async refreshRetryTokenForRetry(
    token: { getRetryCount(): number },
    { errorType }: { readonly errorType: "TRANSIENT" | "THROTTLING" | "SERVER_ERROR" | "CLIENT_ERROR" },
  ) {
    const count = token.getRetryCount() + 1;
    if (count === attemptsMax || errorType === "CLIENT_ERROR") throw new Error("no retry");
    return { getRetryCount: () => count, getRetryDelay: () => 0 };
  },
  recordSuccess: () => undefined,
};

/** Nobody checks signatures here, and making them takes a fifth of the time. */
const unsigned = {
  async sign<Request>(request: Request): Promise<Request> {
    const { headers } = request as { readonly headers: Record<string, string> };
    headers["authorization"] =
      "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00";
    return request;
  },
};

export function equip(client: object, instance: Instance): void {
  const { surroundings } = instance;
  if (client instanceof DynamoDBClient) {
    client.config.requestHandler = new FaultyRequests(() => instance.faults, surroundings.taken);
    client.config.retryStrategy = async () => quickRetries as never;
    client.config.signer = async () => unsigned;
  } else if (client instanceof S3Client) {
    playS3(client, instance);
  } else if (client instanceof SQSClient) {
    play(client, instance, (input) => answerQueue(input as QueueInput, instance));
  } else if (client instanceof SNSClient) {
    play(client, instance, (input) => {
      const { faults } = instance;
      if (faults.plan.topicDown === true) {
        faults.note("notification fails");
        throw httpError(500, "InternalFailure");
      }
      surroundings.published((input as PublishInput).MessageAttributes.id.StringValue);
      return {};
    });
  } else if (client instanceof SecretsManagerClient) {
    const SecretString = JSON.stringify({ key: "0123456789abcdef", webhookSecret: "whsec_MDEyMzQ1Njc4OWFiY2RlZg==" });
    play(client, instance, () => ({ SecretString }));
  }
}

interface PublishInput {
  readonly MessageAttributes: { readonly id: { readonly StringValue: string } };
}
interface QueueInput {
  readonly QueueUrl: string;
  readonly MessageBody?: string;
  readonly Entries?: readonly { readonly MessageBody: string }[];
}

function answerQueue(
  { QueueUrl, MessageBody: single, Entries: entries = [] }: QueueInput,
  instance: Instance,
): unknown {
  if (instance.faults.plan.queueDown === true) {
    instance.faults.count++;
    throw httpError(500, "InternalFailure");
  }
  for (const { MessageBody } of entries) instance.surroundings.sent(QueueUrl, MessageBody);
  if (single !== undefined) instance.surroundings.sent(QueueUrl, single);
  return { Failed: [] };
}

interface Playable {
  readonly middlewareStack: { add(middleware: never, options: never): void };
}
type Next = (parameters: { readonly input: object }) => Promise<{ readonly output: unknown }>;

/** Answers in place of the service. */
function play(client: Playable, instance: Instance, answer: (input: object) => unknown): void {
  const middleware = () => async (parameters: { readonly input: object }) => {
    instance.faults.checkCut();
    return { output: answer(parameters.input), response: {} };
  };
  client.middlewareStack.add(middleware as never, { step: "initialize", name: "played", priority: "high" } as never);
}

interface ObjectInput {
  readonly Bucket: string;
  readonly Key: string;
}

function playS3(client: Playable, instance: Instance): void {
  const middleware =
    (next: Next, { commandName = "" }: { readonly commandName?: string }) =>
    async (parameters: { readonly input: object }) => {
      const { faults, surroundings } = instance;
      faults.checkCut();
      const { Bucket, Key } = parameters.input as ObjectInput;
      if (faults.plan.unreadable?.has(Key) === true && commandName === "GetObjectCommand") {
        faults.count++;
        throw httpError(500, "InternalError");
      }
      const { buckets } = surroundings;
      const answer =
        buckets === null
          ? await next(parameters)
          : { output: buckets.answer(commandName, parameters.input as ObjectInput), response: {} };
      if (commandName === "PutObjectCommand") surroundings.stored(Bucket, Key);
      return answer;
    };
  client.middlewareStack.add(middleware as never, { step: "initialize", name: "played", priority: "high" } as never);
}
