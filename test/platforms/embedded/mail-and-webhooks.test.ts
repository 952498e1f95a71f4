import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import type { Destination, Notification, NotificationState } from "../../../src/model/notification.ts";
import { deliverDue, deliveryAttemptsMax, retryDelayMillis } from "../../../src/pipeline/notify/deliver.ts";
import { outgoing } from "../../../src/pipeline/notify/outgoing.ts";
import { captureMailer, smtpMailer } from "../../../src/platforms/embedded/mailer.ts";
import { embeddedNotifier } from "../../../src/platforms/embedded/notifier.ts";
import type { Notifier } from "../../../src/ports/notifier.ts";
import { type MailerHarness, mailerContract } from "../../contracts/mailer.ts";
import { type NotifierHarness, notification, notifierContract } from "../../contracts/notifier.ts";
import { headersOf, partsOf } from "../../contracts/read-mail.ts";
import { freeUrl, startReceiver } from "../../contracts/webhook-receiver.ts";
import { startMailServer } from "./mail-server.ts";

const from = "EventPulse <eventpulse@example.com>";
const webhookSecret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const forms = outgoing({ webhookSecret, clock: Date.now, fetch });

async function smtpHarness(): Promise<MailerHarness> {
  const server = await startMailServer();
  return {
    mailer: smtpMailer({ url: server.url, from }),
    answer: "sent",
    received: async () => server.messages,
    breakDown: () => server.close(),
    close: () => server.close(),
  };
}

async function captureHarness(): Promise<MailerHarness> {
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-mail-"));
  const directory = join(folder, "outbox");
  // A mail that is sent twice is one file; the contract counts arrivals, so each is noted as it comes.
  const arrivals: string[] = [];
  const mailer = captureMailer({ directory, from });
  return {
    mailer: {
      async send(mail) {
        const answer = await mailer.send(mail);
        arrivals.push(await readFile(join(directory, `${mail.id}.eml`), "utf8"));
        return answer;
      },
    },
    answer: "captured",
    received: async () => arrivals,
    breakDown: () => writeFile(directory, "a file where the folder would be"),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function notifierHarness(): Promise<NotifierHarness> {
  const mailServer = await startMailServer();
  const receiver = await startReceiver();
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-mail-"));
  const closedUrl = await freeUrl();
  const webhook = (path: string): Destination => ({ kind: "webhook", url: `${receiver.url}${path}`, secret: null });
  return {
    notifier: embeddedNotifier({ mailer: smtpMailer({ url: mailServer.url, from }), outgoing: forms }),
    notifierWithoutMail: embeddedNotifier({ mailer: captureMailer({ directory: folder, from }), outgoing: forms }),
    email: { kind: "email", address: "ops@example.com" },
    webhook: webhook("/ok"),
    webhookThat: (behaviour) =>
      behaviour === "refuses"
        ? { kind: "webhook", url: closedUrl, secret: null }
        : webhook(behaviour === "hangs" ? "/hangs" : `/status/${behaviour}`),
    mailIds: async () => mailServer.messages.map((text) => headersOf(text).get("message-id") ?? ""),
    webhooks: () => receiver.received,
    breakMail: () => mailServer.close(),
    async close() {
      await Promise.all([mailServer.close(), receiver.close(), rm(folder, { recursive: true })]);
    },
  };
}

describe("smtp", { concurrency: true }, () => mailerContract(smtpHarness));
describe("captured outbox", { concurrency: true }, () => {
  mailerContract(captureHarness);

  test("keeps a mail that is sent twice as one file", async (context) => {
    const folder = await mkdtemp(join(tmpdir(), "eventpulse-mail-"));
    context.after(() => rm(folder, { recursive: true }));
    const mailer = captureMailer({ directory: join(folder, "outbox"), from });
    const mail = { id: "one", to: ["a@example.com"], subject: "Grüße", text: "first\n", html: null };
    await mailer.send(mail);
    await mailer.send({ ...mail, text: "second\n" });
    assert.deepEqual(await readdir(join(folder, "outbox")), ["one.eml"]);
    const text = await readFile(join(folder, "outbox", "one.eml"), "utf8");
    assert.equal(headersOf(text).get("subject"), "=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=");
    assert.deepEqual(partsOf(text), [{ type: "text/plain", body: "second\n" }]);
  });
});
describe("embedded", { concurrency: true }, () => notifierContract(notifierHarness));

describe("webhooks", () => {
  const notify = async (destination: (url: string) => Destination) => {
    const receiver = await startReceiver();
    try {
      const notifier = embeddedNotifier({
        mailer: captureMailer({ directory: "/nonexistent", from }),
        outgoing: forms,
      });
      await notifier.notify(notification, destination(receiver.url));
      const [webhook] = receiver.received;
      assert.ok(webhook !== undefined, "a webhook has arrived");
      return webhook;
    } finally {
      await receiver.close();
    }
  };

  test("verify with the server's secret by the Standard Webhooks library, and with no other", async () => {
    const { headers, body } = await notify((url) => ({ kind: "webhook", url: `${url}/ok`, secret: null }));
    assert.deepEqual(new Webhook(webhookSecret).verify(body, { ...headers }), {
      type: "anomaly.opened",
      timestamp: "2026-11-16T06:00:00.000Z",
      data: {
        id: notification.id,
        tenant: "acme",
        stream: "orders",
        subject: notification.subject,
        text: notification.text,
        suppressed: 0,
        details: { rule: "spend", value: 9000 },
      },
    });
    assert.equal(headers["content-type"], "application/json");
    const other = new Webhook(Buffer.alloc(24, 8).toString("base64"));
    assert.throws(() => other.verify(body, { ...headers }), WebhookVerificationError);
    assert.throws(
      () => new Webhook(webhookSecret).verify(body.replace("9000", "90"), { ...headers }),
      WebhookVerificationError,
    );
  });

  test("are signed with the destination's own secret when it has one", async () => {
    const own = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
    const { headers, body } = await notify((url) => ({ kind: "webhook", url: `${url}/ok`, secret: own }));
    assert.ok(new Webhook(own).verify(body, { ...headers }));
    assert.throws(() => new Webhook(webhookSecret).verify(body, { ...headers }), WebhookVerificationError);
  });

  test("name the receiver in an error without what is secret in its URL", async () => {
    const notifier = embeddedNotifier({ mailer: captureMailer({ directory: "/nonexistent", from }), outgoing: forms });
    const closedUrl = await freeUrl();
    const destination = { kind: "webhook", url: `${closedUrl}hook?token=t0ps3cret`, secret: null } as const;
    const error = await notifier.notify(notification, destination).then(
      () => assert.fail("nothing listens there"),
      (reason: Error) => reason,
    );
    assert.ok(error.message.includes(`${closedUrl}hook cannot be reached`));
    assert.doesNotMatch(error.message, /t0ps3cret/);
  });
});

/** The port in memory: what is due, and every settlement in order. */
function memoryLog(pending: readonly Notification[]) {
  const settled: { id: string; state: NotificationState; error: string | null; delayMillis: number }[] = [];
  const notifications = new Map(pending.map((one) => [one.id, one]));
  return {
    settled,
    due: async (max: number) => [...notifications.values()].slice(0, max),
    async settle(id: string, state: NotificationState, error: string | null, delayMillis: number) {
      settled.push({ id, state, error, delayMillis });
      const one = notifications.get(id);
      if (one !== undefined) notifications.set(id, { ...one, attempts: one.attempts + 1 });
      if (state !== "pending") notifications.delete(id);
    },
  };
}

describe("delivery of what is due", () => {
  const email = { kind: "email", address: "ops@example.com" } as const;
  const hook = { kind: "webhook", url: "https://example.com/hook", secret: null } as const;
  const answering = (email: "delivered" | "captured" | Error, webhook: "delivered" | "captured" | Error) => {
    const calls: string[] = [];
    const notifier: Notifier = {
      async notify(_, { kind }) {
        calls.push(kind);
        const answer = kind === "email" ? email : webhook;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    };
    return { calls, notifier };
  };
  const settle = async (
    destinations: readonly Destination[],
    email: "delivered" | "captured" | Error,
    webhook: "delivered" | "captured" | Error = "delivered",
  ) => {
    const log = memoryLog([{ ...notification, destinations }]);
    assert.equal(await deliverDue({ log, notifier: answering(email, webhook).notifier }), 1);
    return log.settled[0];
  };

  test("settles as delivered, captured or pending", async () => {
    const done = { id: notification.id, error: null, delayMillis: 0 };
    assert.deepEqual(await settle([email, hook], "captured"), { ...done, state: "delivered" });
    assert.deepEqual(await settle([email], "captured"), { ...done, state: "captured" });
    assert.deepEqual(await settle([], "delivered"), { ...done, state: "captured" });
    const pending = await settle([email, hook], "delivered", new Error("no route"));
    assert.equal(pending?.state, "pending");
    assert.match(pending?.error ?? "", /no route/);
  });

  test("says 0 when nothing is due", async () => {
    assert.equal(await deliverDue({ log: memoryLog([]), notifier: answering("delivered", "delivered").notifier }), 0);
  });

  test("tries eight times, later each time, then gives up, and tells those it reached only once", async () => {
    const log = memoryLog([{ ...notification, destinations: [email, hook] }]);
    const { calls, notifier } = answering("delivered", new Error("down"));
    for (let tries = 0; tries < deliveryAttemptsMax + 2; tries++) await deliverDue({ log, notifier, random: () => 0 });
    assert.deepEqual(
      log.settled.map(({ state }) => state),
      [...Array(deliveryAttemptsMax - 1).fill("pending"), "failed"],
    );
    const delays = log.settled.map(({ delayMillis }) => delayMillis);
    assert.ok(delays.every((delay, index) => index === 0 || delay > (delays[index - 1] ?? 0)));
    assert.equal(calls.filter((kind) => kind === "email").length, 1);
    assert.equal(calls.filter((kind) => kind === "webhook").length, deliveryAttemptsMax);
  });

  test("spreads retries over half of their delay", () => {
    assert.equal(
      retryDelayMillis(1, () => 0),
      2_500,
    );
    assert.equal(
      retryDelayMillis(1, () => 0.999_999),
      5_000,
    );
  });

  test("delivers the others while one receiver hangs", async () => {
    const log = memoryLog([
      { ...notification, id: "ntf_a", destinations: [hook] },
      { ...notification, id: "ntf_b", destinations: [email] },
    ]);
    const released = Promise.withResolvers<"delivered">();
    const notifier: Notifier = { notify: async (_, { kind }) => (kind === "email" ? "delivered" : released.promise) };
    const delivery = deliverDue({ log, notifier });
    while (log.settled.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(log.settled[0]?.id, "ntf_b");
    released.resolve("delivered");
    assert.equal(await delivery, 2);
  });
});
