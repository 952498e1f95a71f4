import { randomUUID } from "node:crypto";
import {
  CreateEmailIdentityCommand,
  DeleteEmailIdentityCommand,
  SESv2Client,
  type SendEmailCommandInput,
} from "@aws-sdk/client-sesv2";
import { sesMailer } from "../../../src/platforms/aws/mailer.ts";
import { emulator } from "./aws-services.ts";

/** A verified sender of its own, its mailer, and the mails that SES took from it. */
export async function mailBox() {
  const address = `eventpulse-${randomUUID()}@example.com`;
  const client = new SESv2Client(emulator());
  const mails: string[] = [];
  // The emulator's own list of mails cannot be asked for any more once somebody has removed a bucket.
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (request) => {
        const answer = await next(request);
        const { Content: content } = request.input as SendEmailCommandInput;
        if (commandName === "SendEmailCommand") mails.push(Buffer.from(content?.Raw?.Data ?? []).toString());
        return answer;
      },
    { step: "initialize" },
  );
  await client.send(new CreateEmailIdentityCommand({ EmailIdentity: address }));
  return {
    mailer: sesMailer({ client, from: `EventPulse <${address}>` }),
    received: async (): Promise<readonly string[]> => mails,
    /** SES no longer knows the sender. */
    async breakDown() {
      await client.send(new DeleteEmailIdentityCommand({ EmailIdentity: address }));
    },
    close: async () => client.destroy(),
  };
}
