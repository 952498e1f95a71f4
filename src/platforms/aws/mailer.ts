import { type SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import MailComposer from "nodemailer/lib/mail-composer";
import { EventPulseError } from "../../model/error.ts";
import { headerLine, mailEnvelope } from "../../model/mail-envelope.ts";
import type { Mailer } from "../../ports/mailer.ts";

export interface SesMailerOptions {
  readonly client: SESv2Client;
  /** The sender's address, with or without a name; SES must have verified it or its domain. */
  readonly from: string;
}

/**
 * Mail through SES, composed here, so that it is the same as on other platforms. SES keeps the headers but gives each mail a
 * Message-ID of its own: a mail that is sent twice is known by the id in its last line.
 */
export function sesMailer({ client, from }: SesMailerOptions): Mailer {
  return {
    async send(mail) {
      const envelope = mailEnvelope(mail, from);
      const message = new MailComposer({
        ...envelope,
        text: mail.text,
        ...(mail.html === null ? {} : { html: mail.html }),
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      const raw = await message.compile().build();
      try {
        await client.send(
          new SendEmailCommand({
            FromEmailAddress: from,
            Destination: { ToAddresses: envelope.to.map(({ address }) => address) },
            Content: { Raw: { Data: raw } },
          }),
        );
      } catch (cause) {
        const reason = cause instanceof Error ? headerLine(cause.message).replace(/\.$/, "") : "unknown reason";
        const message = `SES did not take the mail ${mail.id}: ${reason}. Is the sender verified, and the account out of the sandbox?`;
        throw new EventPulseError("DELIVERY_FAILED", message, { cause });
      }
      return "sent";
    },
  };
}
