import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface RawAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawExchange {
  /** Every whole answer that came, in order. */
  readonly answers: readonly RawAnswer[];
  readonly bytes: Buffer;
  readonly endedByServer: boolean;
}

export interface RawOptions {
  /** End our side after the last byte, as a client that hangs up politely; else the line stays open. */
  readonly halfClose?: boolean;
  /** Stop when so many answers are there. Default 1; otherwise it waits for the end of the connection. */
  readonly answers?: number;
  readonly millisMax?: number;
  readonly pauseMillis?: number;
}

/** Sends bytes that no HTTP client would send, and reads what comes back. Never throws for what the server does. */
export function rawExchange(
  port: number,
  parts: readonly (string | Uint8Array)[],
  options: RawOptions = {},
): Promise<RawExchange> {
  const { halfClose = false, answers: wanted = 1, millisMax = 5_000, pauseMillis = 0 } = options;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let endedByServer = false;
    const socket = connect(port, "127.0.0.1");
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      const bytes = Buffer.concat(chunks);
      resolve({ answers: parseAnswers(bytes), bytes, endedByServer });
    };
    const timer = setTimeout(finish, millisMax);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      if (parseAnswers(Buffer.concat(chunks)).length >= wanted) finish();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      endedByServer = true;
      finish();
    });
    socket.on("connect", async () => {
      for (const part of parts) {
        if (socket.destroyed) return;
        socket.write(part);
        if (pauseMillis > 0) await pause(pauseMillis);
      }
      if (halfClose) socket.end();
    });
  });
}

/** Answers with a Content-Length or without a body, which is what problems are. */
function parseAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n\r\n", at);
    if (end < 0) return answers;
    const [first = "", ...lines] = bytes.toString("latin1", at, end).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    const bodyEnd = end + 4 + Number(headers["content-length"] ?? 0);
    if (bodyEnd > bytes.length) return answers;
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0);
    answers.push({ status, headers, body: bytes.toString("utf8", end + 4, bodyEnd) });
    at = bodyEnd;
  }
}
