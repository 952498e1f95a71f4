import { promisify } from "node:util";
import { constants, gunzip, zstdDecompress } from "node:zlib";
import { EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import type { RequestEnvironment } from "./services.ts";

type Decompress = (body: Uint8Array) => Promise<Uint8Array>;

const gunzipBounded = promisify(gunzip);
const zstdBounded = promisify(zstdDecompress);

/** RFC 9659: a zstd content coding needs no window above 8 MB; more would let a few bytes claim 128 MB. */
const zstdWindowLogMax = 23;

const decompressors: Readonly<Record<string, Decompress>> = {
  gzip: (body) => gunzipBounded(body, { maxOutputLength: limits.bodyBytesMax }),
  zstd: (body) =>
    zstdBounded(body, {
      maxOutputLength: limits.bodyBytesMax,
      params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMax },
    }),
};

/** Bodies decompressed at the same time: as many as libuv has threads by default, so that more would only hold memory. */
const decompressionsMax = 4;

/**
 * Reads request bodies and removes their Content-Encoding. What is decompressed is counted until the request is done: small
 * compressed bodies that grow a thousandfold are bounded together, not only one by one.
 */
export class BodyReader {
  #bytesInMemory = 0;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * Gives `use` the body. Throws what `RequestEnvironment.readBody` throws, ENCODING_UNSUPPORTED (other than gzip and zstd, or
   * several), ENCODING_INVALID, BODY_TOO_LARGE (after decompression) and TOO_BUSY.
   */
  async withBody<Result>(
    request: Request,
    environment: RequestEnvironment,
    use: (body: Uint8Array) => Result | Promise<Result>,
  ): Promise<Result> {
    const encoding = request.headers.get("content-encoding");
    if (encoding === null) return use(await environment.readBody(limits.bodyBytesMax));
    const decompress = decompressorOf(encoding);
    const body = await environment.readBody(limits.bodyBytesMax);
    if (decompress === null) return use(body);
    const plain = await this.#decompress(decompress, body);
    this.#bytesInMemory += plain.length;
    try {
      return await use(plain);
    } finally {
      this.#bytesInMemory -= plain.length;
    }
  }

  async #decompress(decompress: Decompress, body: Uint8Array): Promise<Uint8Array> {
    if (this.#running >= decompressionsMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      if (this.#bytesInMemory >= limits.requestBytesInMemoryMax) {
        throw new EventPulseError("TOO_BUSY", "Too many compressed bodies are being read; send again in a moment.");
      }
      return await decompress(body);
    } catch (error) {
      throw decompressionError(error);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** Null: nothing to remove. */
function decompressorOf(header: string): Decompress | null {
  const encoding = header.trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return null;
  // RFC 9110, section 8.4.1.3: x-gzip is gzip.
  const decompress = decompressors[encoding === "x-gzip" ? "gzip" : encoding];
  if (decompress !== undefined && Object.hasOwn(decompressors, encoding.replace(/^x-/, ""))) return decompress;
  throw new EventPulseError(
    "ENCODING_UNSUPPORTED",
    "Send the body as it is, or with one Content-Encoding: gzip or zstd.",
  );
}

function decompressionError(error: unknown): unknown {
  if (error instanceof EventPulseError) return error;
  if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") {
    return new EventPulseError(
      "BODY_TOO_LARGE",
      `The body is larger than ${limits.bodyBytesMax} bytes once decompressed.`,
    );
  }
  return new EventPulseError("ENCODING_INVALID", "The body is not what its Content-Encoding says, or ends too early.");
}
