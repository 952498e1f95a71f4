import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Mail, Mailer } from "../../src/ports/mailer.ts";
import { headersOf, partsOf } from "./read-mail.ts";

export interface MailerHarness {
  readonly mailer: Mailer;
  /** What `send` answers on this adapter when all is well. */
  readonly answer: "sent" | "captured";
  /** Every mail that has arrived, as RFC 5322 text, oldest first. */
  received(): Promise<readonly string[]>;
  /** Makes the next send fail for a reason outside of us: server down, folder not writable. */
  breakDown(): Promise<void>;
  close(): Promise<void>;
}

const mail: Mail = {
  id: "ntf_0123abcd",
  to: ["ops@example.com"],
  subject: "Orders: 3 anomalies",
  text: "Three values were out of their band.\n",
  html: null,
};

/** One test for each sentence of `src/ports/mailer.ts`. */
export function mailerContract(create: () => Promise<MailerHarness>): void {
  describe("mailer", () => {
    handsOver(create);
    keepsHeadersClean(create);
  });
}

function withMailer(create: () => Promise<MailerHarness>, body: (harness: MailerHarness) => Promise<void>) {
  return async () => {
    const harness = await create();
    try {
      await body(harness);
    } finally {
      await harness.close();
    }
  };
}

function handsOver(create: () => Promise<MailerHarness>): void {
  test(
    "answers `sent` or `captured` when the mail is where its reader finds it",
    withMailer(create, async ({ mailer, answer, received }) => {
      assert.equal(await mailer.send(mail), answer);
      const [text] = await received();
      assert.ok(text !== undefined, "a mail has arrived");
      assert.equal(headersOf(text).get("to"), "ops@example.com");
      assert.equal(headersOf(text).get("subject"), mail.subject);
      assert.deepEqual(partsOf(text), [{ type: "text/plain", body: mail.text }]);
    }),
  );

  test(
    "gives a mail that is sent twice the same Message-ID, and another mail another one",
    withMailer(create, async ({ mailer, received }) => {
      for (const id of ["first", "second", "first"]) await mailer.send({ ...mail, id });
      const ids = (await received()).map((text) => headersOf(text).get("message-id"));
      assert.equal(new Set(ids).size, 2);
      assert.ok(ids.every((id) => /^<(first|second)@[^<>@\s]+>$/.test(id ?? "")));
    }),
  );

  test(
    "refuses an id that is no Message-ID",
    withMailer(create, async ({ mailer, received }) => {
      for (const id of ["", "a b", "a\r\nBcc: x@example.com", "a/../b", "x".repeat(65)]) {
        await assert.rejects(mailer.send({ ...mail, id }), /mail id/);
      }
      assert.deepEqual(await received(), []);
    }),
  );

  test(
    "sends text always, and html as an alternative to it",
    withMailer(create, async ({ mailer, received }) => {
      await mailer.send({ ...mail, html: "<p>Three values.</p>" });
      const [text] = await received();
      assert.ok(text !== undefined, "a mail has arrived");
      assert.match(headersOf(text).get("content-type") ?? "", /^multipart\/alternative/);
      assert.deepEqual(partsOf(text), [
        { type: "text/plain", body: mail.text },
        { type: "text/html", body: "<p>Three values.</p>" },
      ]);
    }),
  );

  test(
    "reaches every address",
    withMailer(create, async ({ mailer, received }) => {
      await mailer.send({ ...mail, to: ["ops@example.com", "dev@example.com"] });
      const [text] = await received();
      assert.equal(headersOf(text ?? "").get("to"), "ops@example.com, dev@example.com");
    }),
  );

  test(
    "throws DELIVERY_FAILED when the mail cannot be handed over",
    withMailer(create, async ({ mailer, breakDown }) => {
      await breakDown();
      await assert.rejects(mailer.send(mail), { code: "DELIVERY_FAILED" });
    }),
  );
}

function keepsHeadersClean(create: () => Promise<MailerHarness>): void {
  for (const lineBreak of ["\r\n", "\n", "\r", "\u2028", "\u0085", "\0\r\n"]) {
    test(
      `never lets ${JSON.stringify(lineBreak)} in a subject or an address become a header`,
      withMailer(create, async ({ mailer, answer, received }) => {
        const injected = `${lineBreak}Bcc: evil@example.com${lineBreak}${lineBreak}body`;
        assert.equal(await mailer.send({ ...mail, subject: `Hello${injected}` }), answer);
        const [text] = await received();
        const headers = headersOf(text ?? "");
        assert.equal(headers.has("bcc"), false);
        assert.deepEqual(partsOf(text ?? ""), [{ type: "text/plain", body: mail.text }]);
        await assert.rejects(mailer.send({ ...mail, id: "second", to: [`ops@example.com${injected}`] }), {
          code: "DELIVERY_FAILED",
        });
        assert.equal((await received()).length, 1);
      }),
    );
  }

  test(
    "never reads a list or a second address out of one address",
    withMailer(create, async ({ mailer, received }) => {
      for (const address of ["a@example.com, b@example.com", "<a@example.com> b@example.com", "nobody", ""]) {
        await assert.rejects(mailer.send({ ...mail, to: [address] }), { code: "DELIVERY_FAILED" });
      }
      assert.deepEqual(await received(), []);
    }),
  );
}
