import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SendMailOptions } from "nodemailer";
import { assert, EventPulseError } from "../../model/error.ts";
import { headerLine, mailEnvelope } from "../../model/mail-envelope.ts";
import type { Mail, Mailer } from "../../ports/mailer.ts";

export interface SmtpMailerOptions {
  /** `smtp://user:password@host:port` or `smtps://…`. Never shown in an error. */
  readonly url: string;
  /** The sender's address, with or without a name: `EventPulse <eventpulse@example.com>`. */
  readonly from: string;
}

export interface CaptureMailerOptions {
  /** Made when the first mail is captured. */
  readonly directory: string;
  readonly from: string;
}

/** A mail server that has not answered by then is down; nodemailer's own limits are minutes. */
const smtpTimeoutMillis = 10_000;

/** Imported with the first mail: 13 MB that most processes never need. */
async function nodemailer() {
  return (await import("nodemailer")).default;
}

/** Sends through an SMTP server, one connection per mail: notifications are few and a kept connection would be closed by the server. */
export function smtpMailer({ url, from }: SmtpMailerOptions): Mailer {
  return {
    async send(mail) {
      const transport = (await nodemailer()).createTransport({
        url,
        connectionTimeout: smtpTimeoutMillis,
        greetingTimeout: smtpTimeoutMillis,
        socketTimeout: smtpTimeoutMillis,
      });
      const message = compose(mail, from);
      try {
        await transport.sendMail(message);
      } catch (cause) {
        throw new EventPulseError(
          "DELIVERY_FAILED",
          `The mail server did not take the mail ${mail.id}: ${reasonOf(cause)}. Check the SMTP setting with \`eventpulse doctor\`.`,
          { cause },
        );
      } finally {
        transport.close();
      }
      return "sent";
    },
  };
}

/**
 * Writes each mail as `{id}.eml` into a folder, where any mail program opens it. A mail sent twice is one file, as it would be
 * one mail for its receiver.
 */
export function captureMailer({ directory, from }: CaptureMailerOptions): Mailer {
  return {
    async send(mail) {
      const options = { streamTransport: true, buffer: true, newline: "windows" } as const;
      const transport = (await nodemailer()).createTransport(options);
      const { message } = await transport.sendMail(compose(mail, from));
      assert(Buffer.isBuffer(message), "a buffering stream transport gives a buffer");
      const path = join(directory, `${mail.id}.eml`);
      try {
        await mkdir(directory, { recursive: true });
        // Whoever watches the folder never sees half a mail.
        const partial = `${path}.${process.pid}.part`;
        await writeFile(partial, message);
        await rename(partial, path);
      } catch (cause) {
        throw new EventPulseError("DELIVERY_FAILED", `The outbox ${directory} cannot be written: ${reasonOf(cause)}.`, {
          cause,
        });
      }
      return "captured";
    },
  };
}

/** Attachments by path or URL are off: a mail's text never reads a file. */
function compose(mail: Mail, from: string): SendMailOptions {
  return {
    ...mailEnvelope(mail, from),
    text: mail.text,
    ...(mail.html === null ? {} : { html: mail.html }),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** The server's own words, without the rest of what nodemailer attaches (the URL's password may be in it). */
function reasonOf(cause: unknown): string {
  return cause instanceof Error ? headerLine(cause.message).replace(/\.$/, "") : "unknown reason";
}
