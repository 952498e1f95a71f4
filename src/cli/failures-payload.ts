import { type Command, Option } from "commander";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { failurePath } from "./failure-path.ts";
import { visibleText } from "./visible-text.ts";

interface PayloadOptions extends ConnectionOptions {
  readonly unmasked?: boolean;
  readonly reason?: string;
  readonly edited?: boolean;
}

export function failuresPayloadCommand(): Command {
  const command = baseCommand(
    "failures payload",
    "print the bytes as they were sent",
    `Prints the event's bytes to stdout exactly as they were sent, also with --json. Of a stream with personal fields it prints
the event with these masked; --unmasked gives the bytes and leaves an audit entry.

  eventpulse failures payload fail_019c13d0a7b24e6f8a51c0de --unmasked --reason "the customer asked" > event.json`,
  )
    .argument("<id>", "fail_…")
    .addOption(new Option("--unmasked", "with personal fields as they are; needs --reason"))
    .addOption(new Option("--reason <text>", "why somebody looks, for the audit log"))
    .addOption(new Option("--edited", "as it is after its edit"));
  return addConnectionOptions(command).action(async (id: string, options: PayloadOptions) => {
    const terminal = terminalFor(command);
    const connection = await openConnection(options);
    const response = await connection.request("GET", `${failurePath(id)}/payload`, {
      headers: { accept: "*/*" },
      query: {
        unmasked: options.unmasked === true ? "true" : null,
        edited: options.edited === true ? "true" : null,
        reason: options.reason,
      },
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    // What a person looks at must not drive the terminal; what goes into a file or a pipe is not touched.
    if (process.stdout.isTTY === true) {
      const lines = new TextDecoder().decode(bytes).split("\n").map(visibleText);
      await terminal.write(`${lines.join("\n")}\n`);
    } else await terminal.write(bytes);
    const masked = response.headers.get("x-masked-fields");
    if (masked !== null) {
      terminal.say(`Masked: ${visibleText(maskedFields(masked))}.`);
      terminal.next(`eventpulse failures payload ${id} --unmasked --reason "why"`, `eventpulse failures show ${id}`);
    } else terminal.next(`eventpulse failures show ${id}`);
  });
}

/** The header's names for a person; they are percent-encoded, because a header holds ASCII only. */
function maskedFields(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}
