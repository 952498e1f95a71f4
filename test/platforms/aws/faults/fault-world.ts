import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import { bundledProject } from "../../../../src/config/bundled-project.ts";
import { tenantDefault } from "../../../../src/model/glossary.ts";
import type { RawMeta, RawObject } from "../../../../src/model/raw-object.ts";
import { lambdaHandler as deadLettersHandler } from "../../../../src/platforms/aws/handlers/dead-letters.ts";
import type { LambdaBundle } from "../../../../src/platforms/aws/handlers/lambda-bundle.ts";
import { lambdaHandler as notifyHandler } from "../../../../src/platforms/aws/handlers/notify.ts";
import { objectMessage } from "../../../../src/platforms/aws/handlers/object-event.ts";
import { lambdaHandler as processHandler } from "../../../../src/platforms/aws/handlers/process.ts";
import { type S3ObjectStore, s3ObjectStore, s3Options } from "../../../../src/platforms/aws/object-store.ts";
import { PendingObjects } from "../../../../src/platforms/aws/pending-objects.ts";
import { type S3RawLog, s3RawLog } from "../../../../src/platforms/aws/raw-log.ts";
import type { Work } from "../../../../src/ports/work-queue.ts";
import { emulator, type TestTable, testTable } from "../aws-services.ts";
import { testBucket } from "../test-bucket.ts";
import { Buckets } from "./buckets.ts";
import { workText } from "./expected-state.ts";
import { dependency, faultConfig } from "./fault-config.ts";
import type { TakenTransaction } from "./faulty-requests.ts";
import { type FaultPlan, InjectedFaults } from "./injected-faults.ts";
import { equip, type Instance, load, type Surroundings } from "./lambda-instance.ts";
import { integer, type Random, shuffled } from "./random-events.ts";

export const bundle: LambdaBundle = { config: faultConfig, recipes: {}, version: "0.0.0" };
export const project = bundledProject(bundle, {});

/** What a message is about. */
export type About =
  | { readonly kind: "object"; readonly key: string }
  | { readonly kind: "work"; readonly work: Extract<Work, { kind: "event" }> }
  | { readonly kind: "garbage" };

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly about: About;
  receives: number;
}

/** An outcome as it was committed: what it was about, and what was so then. */
export interface Commit {
  readonly rawKey: string;
  readonly event: { readonly index: number; readonly attempt: number } | null;
  readonly isDown: boolean;
  readonly now: number;
}

/** One call of a function that takes messages. */
interface EndedCall extends Pick<Instance, "failed" | "faults"> {
  readonly messages: readonly Message[];
  /** The ids of `batchItemFailures`; null: it ended without an answer, so all messages come again. */
  readonly answer: ReadonlySet<string> | null;
}

/** As the queue has it: after so many receives a message is a dead letter. */
const receivesMax = 5;
const rawQueue = "https://queues/raw";
export const start = Math.floor(Date.now() / 86_400_000) * 86_400_000;

/** A stage of its own: a table, buckets and queues, with functions that run one call at a time unless told otherwise. */
export class FaultWorld implements Surroundings {
  readonly table: TestTable;
  readonly buckets: Buckets | null;
  readonly raw: S3RawLog;
  readonly objects: S3ObjectStore;
  readonly random: Random;
  queue: Message[] = [];
  dead: Message[] = [];
  readonly commits: Commit[] = [];
  /** Raw objects as they were put, by key; also those that a function has copied. */
  readonly accepted = new Map<string, RawObject | null>();
  /** Accepted, and then removed before they were processed. */
  readonly lost = new Set<string>();
  readonly works = new Set<string>();
  readonly publishedIds: string[] = [];
  /** Put by `putFile`. */
  files = 0;
  /** How often S3 tells of each new object. */
  copies = 1;
  /** Calls of DynamoDB, all invocations together, and messages they took: how long an invocation is. */
  calls = 0;
  messagesTaken = 0;
  readonly #bucket: string;
  readonly #close: () => Promise<void>;
  readonly #tokens = new Set<string>();
  readonly #functions = new Map<string, unknown>();
  #messages = 0;

  /** The time, which stands still between calls; each world begins with this day, in which S3 says that objects were put. */
  static now = start;

  private constructor(
    table: TestTable,
    bucket: string,
    buckets: Buckets | null,
    random: Random,
    close: () => Promise<void>,
  ) {
    this.table = table;
    this.buckets = buckets;
    this.random = random;
    this.#bucket = bucket;
    this.#close = close;
    const client = new S3Client({ ...emulator(), ...s3Options, forcePathStyle: true });
    equip(client, { surroundings: this, faults: new InjectedFaults({}, random), failed: new Map() });
    this.objects = s3ObjectStore({ client, bucket, clock: Date.now });
    const unique = () => hash("sha1", String(++this.#messages) + random()).slice(0, 16);
    this.raw = s3RawLog({ objects: this.objects, pending: new PendingObjects(table.table), random: unique });
  }

  /** `emulated`: objects are in the emulator's S3, else in memory. */
  static async open(random: Random, emulated: boolean): Promise<FaultWorld> {
    FaultWorld.now = start;
    const table = await testTable(Date.now);
    const bucket = emulated ? await testBucket() : null;
    const name = bucket?.bucket ?? "raw";
    setEnvironment(table.table.name, name);
    return new FaultWorld(table, name, emulated ? null : new Buckets(), random, async () => {
      await bucket?.remove();
      await table.remove();
    });
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** As the HTTP door does. */
  async accept(stream: string, events: readonly unknown[]): Promise<string> {
    const meta: RawMeta = {
      ...{ tenant: tenantDefault, stream, door: "http", format: "json", contentType: "application/json" },
      ...{ receivedAt: Date.now(), headers: {}, idSeedFromClient: false, events: events.length, principal: "key" },
      idSeed: hash("sha1", `${this.#messages} ${this.random()}`).slice(0, 14),
    };
    const body = Buffer.from(JSON.stringify(events));
    const key = await this.raw.append({ meta, body });
    this.accepted.set(key, { key, meta, body });
    return key;
  }

  /** As somebody does who puts a file into the bucket. */
  async putFile(key: string, events: readonly unknown[]): Promise<void> {
    await this.objects.put(key, Buffer.from(JSON.stringify(events)));
    this.files++;
  }

  /** S3 tells of an object. */
  tellOf(key: string): void {
    this.add(this.#eventBody(key), { kind: "object", key });
  }

  /** The object is gone before it is processed. */
  async lose(key: string): Promise<void> {
    await this.objects.delete(key);
    this.lost.add(key);
  }

  add(body: string, about: About): Message {
    const message = { id: `message-${++this.#messages}`, body, about, receives: 0 };
    this.queue.push(message);
    return message;
  }

  stored = (_bucket: string, key: string): void => {
    if (!/^(?:raw|inbox)\//.test(key)) return;
    if (key.startsWith("raw/") && !this.accepted.has(key)) this.accepted.set(key, null);
    for (let copy = 0; copy < this.copies; copy++) this.tellOf(key);
  };

  sent = (queueUrl: string, body: string): void => {
    const work: unknown = JSON.parse(body);
    if (queueUrl === rawQueue) {
      const { key } = (work as { detail: { object: { key: string } } }).detail.object;
      this.add(body, { kind: "object", key });
      return;
    }
    const event = work as Extract<Work, { kind: "event" }>;
    this.works.add(workText(event));
    this.add(body, { kind: "work", work: event });
  };

  published = (id: string): void => {
    this.publishedIds.push(id);
  };

  taken = ({ token, puts }: TakenTransaction): void => {
    if (this.#tokens.has(token)) return;
    this.#tokens.add(token);
    const marker = puts.find(({ pk, sk }) => pk.startsWith("O#") && sk === "M");
    if (marker === undefined) return;
    const attempts = puts.filter(({ sk }) => sk.startsWith("E#"));
    const retried = attempts
      .map(({ sk, json }) => ({
        index: Number(sk.slice(2)),
        attempt: (JSON.parse(json) as { attempt: number }).attempt,
      }))
      .find(({ attempt }) => attempt > 1);
    const { isDown } = dependency;
    this.commits.push({ rawKey: marker.pk.slice(2), event: retried ?? null, isDown, now: Date.now() });
  };

  /** Takes up to `max` messages out of the queue, in any order. */
  receive(max = 10): Message[] {
    const taken = shuffled(this.random, this.queue).slice(0, max);
    this.queue = this.queue.filter((message) => !taken.includes(message));
    return taken;
  }

  /** The same messages delivered twice, to two instances that run at once. */
  async processAtOnce(messages: readonly Message[]): Promise<void> {
    const again = shuffled(this.random, messages).map((message) => ({ ...message, id: `${message.id}-again` }));
    const calls = await Promise.all([
      this.#call("process left", processHandler, messages, {}),
      this.#call("process right", processHandler, again, {}),
    ]);
    // One may hear of what the other has committed before that one does itself.
    for (const call of calls) this.#end(call, false);
  }

  /** One call of `process`, and what becomes of its messages. */
  async process(messages: readonly Message[], plan: FaultPlan): Promise<InjectedFaults> {
    const call = await this.#call("process", processHandler, messages, plan);
    this.#end(call, true);
    return call.faults;
  }

  #end(call: EndedCall, isAlone: boolean): void {
    const { messages, faults, answer } = call;
    this.calls += faults.calls;
    this.messagesTaken += messages.length;
    if (answer !== null) this.#checkAnswer(call, answer, isAlone);
    for (const message of messages) {
      if (answer !== null && !answer.has(message.id)) continue;
      if (message.receives < receivesMax) this.queue.push(message);
      else this.dead.push(message);
    }
  }

  /** One call of `dead-letters`, for all there are. */
  async drain(plan: FaultPlan): Promise<InjectedFaults> {
    const messages = this.dead.slice(0, 10);
    const { faults, answer } = await this.#call("dead-letters", deadLettersHandler, messages, plan);
    if (answer === null) return faults;
    for (const message of messages) {
      // The first time it is tried once more, the second time it is set aside.
      const isLastTry = message.receives === receivesMax + 1;
      const mustFail = message.about.kind === "garbage" || (isLastTry && this.#mustFail(message, {}));
      assert.equal(answer.has(message.id), mustFail || faults.count > 0, JSON.stringify(message));
    }
    // What nobody can read stays in the queue of dead letters, for a person.
    this.dead = this.dead.filter(({ id, about }) => {
      const isOver = messages.some((one) => one.id === id) && (!answer.has(id) || about.kind === "garbage");
      return !isOver;
    });
    return faults;
  }

  /** One call of `notify`. */
  async sweep(plan: FaultPlan): Promise<InjectedFaults> {
    FaultWorld.now += 1_000;
    const { instance, handler } = this.#function("notify", notifyHandler, plan);
    try {
      await handler({}, context);
    } catch (error) {
      if (instance.faults.count === 0) throw error;
    }
    return instance.faults;
  }

  async #call(
    name: string,
    lambdaHandler: typeof processHandler,
    messages: readonly Message[],
    plan: FaultPlan,
  ): Promise<EndedCall> {
    FaultWorld.now += 1_000;
    const { instance, handler } = this.#function(name, lambdaHandler, plan);
    const { failed, faults } = instance;
    for (const message of messages) message.receives++;
    const Records = messages.map(({ id, body, receives }) => ({
      messageId: id,
      body,
      attributes: { ApproximateReceiveCount: String(receives) },
    }));
    let answer: ReadonlySet<string> | null = null;
    try {
      const { batchItemFailures } = await handler({ Records } as never, context);
      const ids = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
      assert.equal(new Set(ids).size, ids.length, "each id once");
      if (!faults.isCut) answer = new Set(ids);
    } catch (error) {
      if (plan.throws === undefined && !faults.isCut) throw error;
    }
    if (answer === null) this.#functions.delete(name);
    return { messages, failed, faults, answer };
  }

  /** A function, loaded as long as its calls end as they should: then the next one finds what it keeps in memory. */
  #function<Handler>(name: string, lambdaHandler: (of: LambdaBundle) => Handler, plan: FaultPlan) {
    const faults = new InjectedFaults(plan, this.random);
    let found = this.#functions.get(name) as { readonly instance: Instance; readonly handler: Handler } | undefined;
    if (found === undefined) {
      const instance: Instance = { surroundings: this, faults, failed: new Map() };
      found = { instance, handler: load(lambdaHandler, bundle, instance) };
      this.#functions.set(name, found);
    }
    Object.assign(found.instance, { faults, failed: new Map() });
    return found;
  }

  /** The ids are those of what failed, nothing failed without a reason, and what is not among them is done. */
  #checkAnswer({ messages, failed, faults }: EndedCall, ids: ReadonlySet<string>, isAlone: boolean): void {
    assert.deepEqual([...ids].sort(), [...failed.keys()].sort(), "the ids are those of the messages that failed");
    const certain = messages.filter((message) => this.#mustFail(message, faults.plan));
    for (const { id, about } of certain) assert(ids.has(id), `${JSON.stringify(about)} fails`);
    const unreadable = faults.plan.unreadable ?? new Set();
    const read = certain.filter(({ about }) => about.kind === "object" && unreadable.has(about.key)).length;
    if (isAlone && faults.count <= read) {
      const why = [...failed.values()].map(String).join("; ");
      assert.equal(ids.size, certain.length, `nothing fails without a fault: ${why}`);
    }
    for (const message of messages) {
      if (!ids.has(message.id)) assert(this.#isDone(message), `${JSON.stringify(message.about)} is done`);
    }
  }

  #mustFail({ about }: Message, { unreadable }: FaultPlan): boolean {
    if (about.kind === "garbage") return true;
    if (about.kind !== "object") return false;
    return unreadable?.has(about.key) === true || (this.lost.has(about.key) && !this.isCommitted(about.key));
  }

  #isDone({ about }: Message): boolean {
    if (about.kind === "garbage") return false;
    if (about.kind === "object") return !this.accepted.has(about.key) || this.isCommitted(about.key);
    const { rawKey, index, attempt } = about.work;
    return this.commits.some(
      ({ event, ...commit }) => commit.rawKey === rawKey && event?.index === index && event.attempt >= attempt,
    );
  }

  isCommitted(key: string): boolean {
    return this.commits.some(({ rawKey, event }) => rawKey === key && event === null);
  }

  /** By EventBridge the key is as it is; S3's own message has it URL-encoded. */
  #eventBody(key: string): string {
    if (integer(this.random, 2) === 0) return objectMessage(key, Date.now());
    const encoded = key.split("/").map(encodeURIComponent).join("/").replaceAll("%20", "+");
    const eventTime = new Date(Date.now()).toISOString();
    return JSON.stringify({
      Records: [{ eventTime, s3: { bucket: { name: this.#bucket }, object: { key: encoded } } }],
    });
  }
}

const context = { awsRequestId: "request", getRemainingTimeInMillis: () => 60_000 };

function setEnvironment(table: string, bucket: string): void {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: process.env["EVENTPULSE_TEST_AWS_URL"],
    AWS_ENDPOINT_URL_DYNAMODB: process.env["EVENTPULSE_TEST_DYNAMODB_URL"],
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    POWERTOOLS_LOG_LEVEL: "SILENT",
    POWERTOOLS_DEV: "false",
    EVENTPULSE_TABLE: table,
    EVENTPULSE_RAW_BUCKET: bucket,
    EVENTPULSE_QUARANTINE_BUCKET: bucket,
    EVENTPULSE_RAW_QUEUE_URL: rawQueue,
    EVENTPULSE_WORK_QUEUE_URL: "https://queues/work",
    EVENTPULSE_SECRET_ARN: "secret",
    EVENTPULSE_ALERTS_TOPIC_ARN: "arn:aws:sns:us-east-1:123456789012:alerts",
    EVENTPULSE_FAILURES_TOPIC_ARN: "arn:aws:sns:us-east-1:123456789012:failures",
  });
}
