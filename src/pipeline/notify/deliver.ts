import { EventPulseError } from "../../model/error.ts";
import type { Destination, Notification } from "../../model/notification.ts";
import type { NotificationLog } from "../../ports/notification-log.ts";
import type { Notifier } from "../../ports/notifier.ts";

/** Notifications delivered at the same time: one receiver that hangs for its ten seconds holds up no more than its own. */
const batchNotificationsMax = 20;

/** Tries at a notification before it is `failed`. With the delays below the last one comes some seven hours after the first. */
export const deliveryAttemptsMax = 8;
const delayMillisFirst = 5_000;
/** 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, 5.7 h: quick for a receiver that restarts, patient with one that is down overnight. */
const delayFactor = 4;

export interface DeliverDueOptions {
  readonly log: Pick<NotificationLog, "due" | "settle">;
  readonly notifier: Notifier;
  /** 0 to 1, exclusive; for tests. */
  readonly random?: () => number;
}

/**
 * Destinations that an earlier try of a notification has reached, as `{id} {position}`, so that one dead webhook does not
 * send everybody else the same mail eight times. In memory only: after a restart they may get it once more, which "at least
 * once" allows. Held per log, so two platforms in one process stay apart.
 */
const reachedByLog = new WeakMap<object, Set<string>>();

/**
 * Takes the notifications that are due and delivers each to all its destinations. Answers how many it took: 0 when there was
 * nothing to do.
 *
 * States, as settled in the log: `pending` until every destination has it or `deliveryAttemptsMax` tries are over; then
 * `delivered` (at least one receiver has it), `captured` (no destination, or none that can be reached from here) or `failed`.
 * Never throws for a receiver; throws what the log throws.
 */
export async function deliverDue({ log, notifier, random = Math.random }: DeliverDueOptions): Promise<number> {
  const due = await log.due(batchNotificationsMax);
  const reached = reachedByLog.get(log) ?? new Set<string>();
  reachedByLog.set(log, reached);
  const settled = await Promise.allSettled(
    due.map(async (notification) => {
      const results = await Promise.all(
        notification.destinations.map((to, position) => attempt(notifier, notification, to, position, reached)),
      );
      const failures = results.flatMap((result) => (result instanceof Error ? [result.message] : []));
      if (failures.length > 0) {
        const attempts = notification.attempts + 1;
        const state = attempts < deliveryAttemptsMax ? "pending" : "failed";
        await log.settle(notification.id, state, failures.join(" "), retryDelayMillis(attempts, random));
        if (state === "pending") return;
      } else {
        await log.settle(notification.id, results.includes("delivered") ? "delivered" : "captured", null, 0);
      }
      notification.destinations.forEach((_, position) => {
        reached.delete(`${notification.id} ${position}`);
      });
    }),
  );
  for (const result of settled) if (result.status === "rejected") throw result.reason;
  return due.length;
}

async function attempt(
  notifier: Notifier,
  notification: Notification,
  destination: Destination,
  position: number,
  reached: Set<string>,
): Promise<"delivered" | "captured" | Error> {
  const place = `${notification.id} ${position}`;
  if (reached.has(place)) return "delivered";
  try {
    const result = await notifier.notify(notification, destination);
    if (result === "delivered") reached.add(place);
    return result;
  } catch (error) {
    if (error instanceof EventPulseError) return error;
    return new Error(`The ${destination.kind} could not be sent: ${error instanceof Error ? error.message : error}.`);
  }
}

/** Between half and all of the exponential delay: receivers that went down together are not called back together. */
export function retryDelayMillis(attempts: number, random: () => number): number {
  const full = delayMillisFirst * delayFactor ** Math.min(attempts - 1, deliveryAttemptsMax);
  return Math.round(full * (0.5 + random() / 2));
}
