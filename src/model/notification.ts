/** Where a notification goes. Addresses and URLs may come from the environment: see `env()`. */
export type Destination =
  | { readonly kind: "email"; readonly address: string }
  | {
      readonly kind: "webhook";
      readonly url: string /** Standard Webhooks secret, `whsec_…`; null signs with the server's own. */;
      readonly secret: string | null;
    };

/**
 * `anomaly`, `escalation` and `recovery` tell of an incident: that it has opened, has become critical, is over. `rule`: that the
 * detector of a rule fails.
 */
export type NotificationTopic = "anomaly" | "escalation" | "recovery" | "rule" | "failures" | "upload";
export const notificationTopics = [
  "anomaly",
  "escalation",
  "recovery",
  "rule",
  "failures",
  "upload",
] as const satisfies readonly NotificationTopic[];

/** A message decided in an outcome, to be delivered after the commit, at least once. */
export interface NotificationDraft {
  /** `ntf_` + hex, derived from what it is about: the same decision twice is one notification, also for the receiver. */
  readonly id: string;
  readonly tenant: string;
  readonly topic: NotificationTopic;
  readonly stream: string;
  /** One line, without secrets or payloads. */
  readonly subject: string;
  /** Plain text, a few lines: what happened, to what, what to do next. */
  readonly text: string;
  /** For webhooks: the same as data. JSON-serialisable. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly destinations: readonly Destination[];
  /**
   * Notifications of a tenant with one group are sent at most once per `cooldownMillis`; later ones are counted into the next
   * (`suppressed`) instead of sent. Never one notification per event.
   */
  readonly group: string;
  readonly cooldownMillis: number;
  /** Of notices of an incident; null for all others. */
  readonly incident: IncidentNotice | null;
}

export interface IncidentNotice {
  /**
   * The rule and key whose detector state it was decided with. Both are committed in one transaction: once the state knows
   * of the step, no second try would decide the notice again.
   */
  readonly rule: string;
  readonly key: string;
  /** Others of its group that were decided with it and are only counted, as if they came right behind it. */
  readonly more: number;
  /**
   * Ids of notices. When there are any, it is sent only if one of them is there, and no cooldown holds it back: whoever was told
   * that an incident opened is told that it is over, and nobody else.
   */
  readonly follows: readonly string[];
}

/** `captured`: no destination, or none that can be reached from here (no SMTP set): it is in the inbox only. */
export type NotificationState = "pending" | "delivered" | "captured" | "failed";

export interface Notification {
  readonly id: string;
  readonly tenant: string;
  readonly topic: NotificationTopic;
  readonly stream: string;
  readonly subject: string;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly destinations: readonly Destination[];
  readonly state: NotificationState;
  readonly attempts: number;
  readonly createdAt: number;
  /** How many of the same group were held back since the one before. */
  readonly suppressed: number;
  readonly lastError: string | null;
}
