import type { IncomingMessage } from "node:http";
import { EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";

/**
 * Reads request bodies into memory, all of them together within `limits.requestBytesInMemoryMax`: what arrives faster than
 * it can be made durable is refused before memory grows.
 */
export class RequestBodies {
  #bytesInMemory = 0;

  /** The whole body. Throws BODY_TOO_LARGE, BODY_TRUNCATED and TOO_BUSY. `release` it when the answer is decided. */
  read(request: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
    const announced = Number(request.headers["content-length"] ?? 0);
    if (announced > bytesMax) return Promise.reject(tooLarge(bytesMax));
    if (request.destroyed && !request.readableEnded) return Promise.reject(truncated());
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      let settled = false;
      const refuse = (error: Error) => {
        // A connection that is cut says so twice, also after the body was refused for its size or was complete.
        if (settled) return;
        settled = true;
        request.off("data", take);
        this.#bytesInMemory -= bytes;
        reject(error);
      };
      const take = (chunk: Buffer) => {
        bytes += chunk.length;
        this.#bytesInMemory += chunk.length;
        if (bytes > bytesMax) refuse(tooLarge(bytesMax));
        else if (this.#bytesInMemory > limits.requestBytesInMemoryMax) refuse(tooBusy());
        else chunks.push(chunk);
      };
      request.on("data", take);
      request.once("end", () => {
        if (settled) return;
        settled = true;
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
      });
      request.once("error", () => refuse(truncated()));
      request.once("aborted", () => refuse(truncated()));
    });
  }

  /** The body is not needed any more. */
  release(body: Uint8Array): void {
    this.#bytesInMemory -= body.length;
  }
}

function tooLarge(bytesMax: number): EventPulseError {
  return new EventPulseError(
    "BODY_TOO_LARGE",
    `The body is larger than ${bytesMax} bytes. Send it in several requests, or as a file: POST /v1/uploads.`,
  );
}

function truncated(): EventPulseError {
  return new EventPulseError("BODY_TRUNCATED", "The connection ended before the body was complete; send it again.");
}

function tooBusy(): EventPulseError {
  return new EventPulseError("TOO_BUSY", "Too many requests are under way; send again later.", {
    retryAfterSeconds: 1,
  });
}
