import { assert, EventPulseError } from "./error.ts";

/** The head of a mail, in which nothing that came from outside can become another header or another address. */
export interface MailEnvelope {
  readonly from: string;
  readonly to: { name: string; address: string }[];
  readonly subject: string;
  readonly messageId: string;
  readonly headers: Record<string, string>;
}

/**
 * Addresses are objects, so that a comma or a bracket in one is never read as a list; one with a control character is refused
 * with DELIVERY_FAILED, because there is no address it could mean. `from` may have a name: `EventPulse <eventpulse@example.com>`.
 */
export function mailEnvelope(
  mail: { readonly id: string; readonly to: readonly string[]; readonly subject: string },
  from: string,
): MailEnvelope {
  assert(/^[a-z0-9_-]{1,64}$/.test(mail.id), "a mail id has 1 to 64 characters of a-z, 0-9, _ and -");
  return {
    from,
    to: mail.to.map((address) => ({ name: "", address: checkedAddress(address, mail.id) })),
    subject: headerLine(mail.subject),
    messageId: `<${mail.id}@${domainOf(from)}>`,
    // RFC 3834: keeps out-of-office replies from answering.
    headers: { "Auto-Submitted": "auto-generated" },
  };
}

/** One line without control characters. */
export function headerLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}

function checkedAddress(address: string, mailId: string): string {
  if (/^[^\p{Cc}\s<>]+@[^\p{Cc}\s<>@]+$/u.test(address)) return address;
  throw new EventPulseError(
    "DELIVERY_FAILED",
    `The mail ${mailId} has a destination that is no mail address: ${JSON.stringify(headerLine(address))}. Correct it in the config.`,
  );
}

/** The part after the "@" of the sender, for the Message-ID. */
function domainOf(from: string): string {
  return /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? "eventpulse.invalid";
}
