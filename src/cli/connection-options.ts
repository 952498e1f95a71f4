import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { type Command, Option } from "commander";
import { type Connection, connect } from "../client/connection.ts";
import { EventPulseError } from "../model/error.ts";

export interface ConnectionOptions {
  readonly url: string;
  readonly key?: string;
  readonly keyFile?: string;
}

/** Where `eventpulse dev` listens in the same environment: the port may be set there for both. */
function defaultUrl(): string {
  const port = process.env["EVENTPULSE_PORT"] ?? "";
  return `http://127.0.0.1:${/^[1-9]\d{0,4}$/.test(port) ? port : 8080}`;
}

/** `--url`, `--key` and `--key-file`, for every command that asks a server. */
export function addConnectionOptions(command: Command): Command {
  return command
    .addOption(new Option("--url <url>", "where EventPulse answers").env("EVENTPULSE_URL").default(defaultUrl()))
    .addOption(new Option("--key <key>", "API key; a file keeps it out of the list of processes").env("EVENTPULSE_KEY"))
    .addOption(
      new Option("--key-file <file>", 'file that holds the API key, "-" for stdin').env("EVENTPULSE_KEY_FILE"),
    );
}

/** Throws SETTING_INVALID for a URL that is none and a key file that cannot be read. */
export async function openConnection(options: ConnectionOptions, attemptsMax = 1): Promise<Connection> {
  const url = URL.parse(options.url);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new EventPulseError("SETTING_INVALID", `--url ${JSON.stringify(options.url)} is no http or https URL.`);
  }
  const connection = connect({ url: options.url, key: await readKey(options), attemptsMax });
  const explained = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
    answer.catch((error: unknown) => {
      throw explainConnectionError(error, options.url);
    });
  return {
    url: connection.url,
    request: (...request) => explained(connection.request(...request)),
    json: (...request) => explained(connection.json(...request)),
    put: (...request) => explained(connection.put(...request)),
  };
}

async function readKey({ key, keyFile }: ConnectionOptions): Promise<string | null> {
  if (key !== undefined) return checkedKey(key, "--key");
  if (keyFile === undefined) return null;
  try {
    const content = keyFile === "-" ? await text(process.stdin) : await readFile(keyFile, "utf8");
    return checkedKey(content.trim(), "--key-file");
  } catch (cause) {
    if (cause instanceof EventPulseError) throw cause;
    throw new EventPulseError("SETTING_INVALID", `The key file ${keyFile} cannot be read.`, { cause });
  }
}

/** A key goes into a header: anything but visible ASCII would be refused there with a message that shows it. */
function checkedKey(key: string, from: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new EventPulseError(
    "SETTING_INVALID",
    `The key given by ${from} is empty or holds characters that no key has.`,
  );
}

/** Says what to do when nothing answers, or when the key does not fit. */
function explainConnectionError(error: unknown, url: string): unknown {
  if (!(error instanceof EventPulseError)) return error;
  if (error.code === "SERVER_UNREACHABLE") {
    const origin = URL.parse(url)?.origin ?? url;
    return new EventPulseError(error.code, `no EventPulse at ${origin}; start one with \`eventpulse dev\``, {
      cause: error,
    });
  }
  if (error.code === "KEY_INVALID") {
    const message = `${error.message} Give it with --key-file FILE or EVENTPULSE_KEY; \`eventpulse dev\` prints it.`;
    return new EventPulseError(error.code, message, { cause: error });
  }
  return error;
}
