import type { Work } from "../../../ports/work-queue.ts";

/** An object that was put into a bucket, as S3 tells of it. */
export interface ObjectCreated {
  readonly kind: "object";
  readonly key: string;
  /** When it happened, milliseconds since 1970. */
  readonly time: number;
}

/** What one message of a queue asks for. */
export type Task = ObjectCreated | { readonly kind: "work"; readonly work: Work };

interface EventBridgeMessage {
  readonly "detail-type": "Object Created";
  readonly time?: string;
  readonly detail: { readonly object: { readonly key: string } };
}

interface S3Message {
  readonly Records: readonly {
    readonly eventTime?: string;
    readonly s3: { readonly object: { readonly key: string } };
  }[];
}

const workKinds: ReadonlySet<unknown> = new Set(["upload", "event", "failure", "job"] satisfies Work["kind"][]);

/**
 * Reads a message: an event of S3 through EventBridge, whose keys are as they are, one that S3 sent itself, whose keys are
 * URL-encoded, or `Work`. None for what S3 sends to say that it will send. Throws for anything else.
 */
export function tasksOf(body: string, receivedAt: number): readonly Task[] {
  const message: unknown = JSON.parse(body);
  if (typeof message !== "object" || message === null) throw new Error("The message is no JSON object.");
  if (Reflect.get(message, "Event") === "s3:TestEvent") return [];
  if (Array.isArray(Reflect.get(message, "Records"))) {
    return (message as S3Message).Records.map(({ eventTime, s3 }) => ({
      kind: "object",
      key: decodeURIComponent(s3.object.key.replaceAll("+", " ")),
      time: timeOf(eventTime, receivedAt),
    }));
  }
  if (Reflect.get(message, "detail-type") === "Object Created") {
    const { detail, time } = message as EventBridgeMessage;
    return [{ kind: "object", key: detail.object.key, time: timeOf(time, receivedAt) }];
  }
  if (workKinds.has(Reflect.get(message, "kind"))) return [{ kind: "work", work: message as Work }];
  throw new Error("The message is neither an event of S3 nor work.");
}

/** The message by which S3's event for an object that is there comes once more. */
export function objectMessage(key: string, time: number): string {
  const message: EventBridgeMessage = {
    "detail-type": "Object Created",
    time: new Date(time).toISOString(),
    detail: { object: { key } },
  };
  return JSON.stringify(message);
}

function timeOf(text: string | undefined, fallback: number): number {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? fallback : time;
}
