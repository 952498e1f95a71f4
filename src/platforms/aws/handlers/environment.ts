import { EventPulseError } from "../../../model/error.ts";

/** Names of the variables that `infra/` gives to functions. */
const names = {
  table: "EVENTPULSE_TABLE",
  rawBucket: "EVENTPULSE_RAW_BUCKET",
  quarantineBucket: "EVENTPULSE_QUARANTINE_BUCKET",
  rawQueueUrl: "EVENTPULSE_RAW_QUEUE_URL",
  rawDeadQueueUrl: "EVENTPULSE_RAW_DEAD_QUEUE_URL",
  workQueueUrl: "EVENTPULSE_WORK_QUEUE_URL",
  workDeadQueueUrl: "EVENTPULSE_WORK_DEAD_QUEUE_URL",
  secretArn: "EVENTPULSE_SECRET_ARN",
  alertsTopicArn: "EVENTPULSE_ALERTS_TOPIC_ARN",
  failuresTopicArn: "EVENTPULSE_FAILURES_TOPIC_ARN",
  mailFrom: "EVENTPULSE_MAIL_FROM",
  publicUrl: "EVENTPULSE_PUBLIC_URL",
  stage: "EVENTPULSE_STAGE",
  tenants: "EVENTPULSE_TENANTS",
} as const;

export type EnvironmentName = keyof typeof names;

/** The value of a variable that must be there. Throws SETTING_INVALID. */
export function required(name: EnvironmentName): string {
  const value = optional(name);
  if (value !== null) return value;
  throw new EventPulseError("SETTING_INVALID", `The function needs the environment variable ${names[name]}.`);
}

/** Null when it is not set, or empty. */
export function optional(name: EnvironmentName): string | null {
  return process.env[names[name]] || null;
}
