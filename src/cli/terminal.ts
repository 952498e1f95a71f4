import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Where a command writes: results to stdout, talk to stderr. */
export interface Terminal {
  /** True: a person looks at stdout, or `--no-json` was given. False: results are JSON lines. */
  readonly pretty: boolean;
  /** True when `--json` was given: then stderr holds errors only, one JSON line each. */
  readonly quiet: boolean;
  /** Columns of stdout. */
  readonly width: number;
  /** Writes one result: as one line of JSON, or as `draw` shows it to a person. */
  result(value: unknown, draw: () => string): Promise<void>;
  /** Writes to stdout as it is, and waits while the reader is slow. */
  write(output: string | Uint8Array): Promise<void>;
  /** Talk: what is going on. Not written with `--json`. */
  say(text: string): void;
  /** The commands that make sense now. */
  next(...commands: readonly string[]): void;
  /** Colour for stdout, when stdout is a terminal that wants it. */
  style(style: Style, text: string): string;
}

const widthDefault = 100;

/**
 * `json`: what `--json` or `--no-json` say, undefined when neither was given. `nextSuffix` is written after every suggested
 * command: what it needs to find the same server.
 */
export function openTerminal(json: boolean | undefined, nextSuffix = ""): Terminal {
  const pretty = json === undefined ? process.stdout.isTTY === true : !json;
  const quiet = json === true;
  const write = (output: string | Uint8Array) =>
    new Promise<void>((resolve) => {
      if (process.stdout.write(output)) resolve();
      else process.stdout.once("drain", resolve);
    });
  const say = (text: string) => {
    if (!quiet) process.stderr.write(`${text}\n`);
  };
  return {
    pretty,
    quiet,
    width: process.stdout.columns ?? widthDefault,
    write,
    say,
    result: (value, draw) => write(pretty ? `${draw()}\n` : `${JSON.stringify(value)}\n`),
    next(...commands) {
      say(commands.map((command, index) => `${index === 0 ? "Next: " : "      "}${command}${nextSuffix}`).join("\n"));
    },
    // styleText knows NO_COLOR, FORCE_COLOR and whether the stream is a terminal.
    style: (style, text) => styleText(style, text, { stream: process.stdout }),
  };
}
