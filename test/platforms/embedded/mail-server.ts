import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

export interface MailServer {
  /** `smtp://127.0.0.1:port` */
  readonly url: string;
  /** Every message as it came over the line, oldest first. */
  readonly messages: readonly string[];
  /** Envelope recipients of all messages. */
  readonly recipients: readonly string[];
  close(): Promise<void>;
}

/** A real SMTP server on a free loopback port, which takes every mail. */
export async function startMailServer(): Promise<MailServer> {
  const messages: string[] = [];
  const recipients: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    onRcptTo({ address }, _session, done) {
      recipients.push(address);
      done();
    },
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        messages.push(Buffer.concat(chunks).toString());
        done();
      });
    },
  });
  server.on("error", () => undefined);
  const listener = server.listen(0, "127.0.0.1");
  await new Promise<void>((resolve) => listener.once("listening", resolve));
  const { port } = listener.address() as AddressInfo;
  let closed: Promise<void> | null = null;
  return {
    url: `smtp://127.0.0.1:${port}`,
    messages,
    recipients,
    close() {
      closed ??= new Promise((resolve) => server.close(() => resolve()));
      return closed;
    },
  };
}
