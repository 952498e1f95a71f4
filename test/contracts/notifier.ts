import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Destination, Notification } from "../../src/model/notification.ts";
import type { Notifier } from "../../src/ports/notifier.ts";

export interface ReceivedWebhook {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface NotifierHarness {
  readonly notifier: Notifier;
  /** The same platform without any way to send mail. */
  readonly notifierWithoutMail: Notifier;
  /** A destination of each kind whose receiver takes everything. */
  readonly email: Destination;
  readonly webhook: Destination;
  /** Webhooks that answer with this status (a redirect points at `webhook`), or never ("hangs"), or refuse the connection. */
  webhookThat(behaviour: number | "hangs" | "refuses"): Destination;
  /** An id per mail that arrived, as its receiver sees it: its Message-ID. */
  mailIds(): Promise<readonly string[]>;
  /** What `webhook` has received, and nothing else. */
  webhooks(): readonly ReceivedWebhook[];
  /** Takes the mail server down. */
  breakMail(): Promise<void>;
  close(): Promise<void>;
}

export const notification: Notification = {
  id: "ntf_00112233445566778899aabbccddeeff",
  tenant: "acme",
  topic: "anomaly",
  stream: "orders",
  subject: "orders: total out of its band",
  text: "The total of order 7 is 9,000, expected 10 to 80.\n",
  data: { rule: "spend", value: 9000 },
  destinations: [],
  state: "pending",
  attempts: 0,
  createdAt: Date.UTC(2026, 10, 16, 6),
  suppressed: 0,
  lastError: null,
};

/** One test for each sentence of `src/ports/notifier.ts`. */
export function notifierContract(create: () => Promise<NotifierHarness>): void {
  const withNotifier = (body: (harness: NotifierHarness) => Promise<void>) => async () => {
    const harness = await create();
    try {
      await body(harness);
    } finally {
      await harness.close();
    }
  };

  describe("notifier", () => {
    test(
      "answers `delivered` when the receiver has it",
      withNotifier(async ({ notifier, email, webhook, mailIds, webhooks }) => {
        assert.equal(await notifier.notify(notification, email), "delivered");
        assert.equal((await mailIds()).length, 1);
        assert.equal(await notifier.notify(notification, webhook), "delivered");
        assert.equal(webhooks().length, 1);
      }),
    );

    test(
      "gives a second delivery the same id, and another notification another one",
      withNotifier(async ({ notifier, email, webhook, mailIds, webhooks }) => {
        const other = { ...notification, id: "ntf_ffeeddccbbaa99887766554433221100" };
        for (const sent of [notification, other, notification]) {
          await notifier.notify(sent, email);
          await notifier.notify(sent, webhook);
        }
        const [first, second, third] = await mailIds();
        assert.ok(first !== undefined && second !== undefined, "mails have arrived");
        assert.notEqual(first, second);
        assert.equal(third, first);
        assert.deepEqual(
          webhooks().map(({ headers }) => headers["webhook-id"]),
          [notification.id, other.id, notification.id],
        );
      }),
    );

    test(
      "answers `captured` when no way to that kind of destination is configured",
      withNotifier(async ({ notifierWithoutMail, email, mailIds }) => {
        assert.equal(await notifierWithoutMail.notify(notification, email), "captured");
        assert.deepEqual(await mailIds(), []);
      }),
    );

    test(
      "throws DELIVERY_FAILED when the mail server is down",
      withNotifier(async ({ notifier, email, breakMail }) => {
        await breakMail();
        await assert.rejects(notifier.notify(notification, email), { code: "DELIVERY_FAILED" });
      }),
    );

    for (const behaviour of [300, 400, 404, 410, 429, 500, 503, "refuses"] as const) {
      test(
        `throws DELIVERY_FAILED when a webhook ${behaviour === "refuses" ? "refuses the connection" : `answers ${behaviour}`}`,
        withNotifier(async ({ notifier, webhookThat }) => {
          await assert.rejects(notifier.notify(notification, webhookThat(behaviour)), { code: "DELIVERY_FAILED" });
        }),
      );
    }

    test(
      "gives a webhook that does not answer up after 10 s",
      withNotifier(async ({ notifier, webhookThat }) => {
        const startedAt = performance.now();
        await assert.rejects(notifier.notify(notification, webhookThat("hangs")), { code: "DELIVERY_FAILED" });
        const seconds = (performance.now() - startedAt) / 1000;
        assert.ok(seconds > 9.5 && seconds < 20, `gave up after ${seconds.toFixed(1)} s`);
      }),
    );

    for (const status of [301, 302, 303, 307, 308]) {
      test(
        `does not follow a ${status}`,
        withNotifier(async ({ notifier, webhookThat, webhooks }) => {
          await assert.rejects(notifier.notify(notification, webhookThat(status)), { code: "DELIVERY_FAILED" });
          assert.deepEqual(webhooks(), []);
        }),
      );
    }
  });
}
