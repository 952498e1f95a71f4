import { isObject } from "../client/connection.ts";
import { EventPulseError } from "../model/error.ts";

/** A failure, an issue, a job or an anomaly: what the commands read of it. Everything else is printed as it comes. */
export interface Resource {
  readonly id: string;
  readonly state: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** `kind` is for the message: "failure", "issue", "job", "anomaly". Throws ANSWER_INVALID. */
export function readResource(value: unknown, kind: string): Resource {
  if (!isObject(value) || typeof value["id"] !== "string" || typeof value["state"] !== "string") {
    throw new EventPulseError("ANSWER_INVALID", `The server's answer is no ${kind}.`);
  }
  return { id: value["id"], state: value["state"], fields: value };
}
