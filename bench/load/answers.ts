import type { Socket } from "node:net";

/** Reads answers with a Content-Length off a socket, one after the other. */
export class Answers {
  #text = "";
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      this.#text += chunk;
      this.#wake?.();
    });
    socket.on("close", () => {
      this.#text += "HTTP/1.1 000 closed\r\ncontent-length: 0\r\n\r\n";
      this.#wake?.();
    });
    socket.on("error", () => undefined);
  }

  /** The status of the next answer; "000" when the connection ended. */
  async next(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\r\n\r\n");
      if (end >= 0) {
        const length = Number(/content-length: (\d+)/i.exec(this.#text.slice(0, end))?.[1] ?? 0);
        if (this.#text.length >= end + 4 + length) {
          const status = this.#text.slice(9, 12);
          this.#text = this.#text.slice(end + 4 + length);
          return status;
        }
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
