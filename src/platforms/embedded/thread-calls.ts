import type { MessagePort, Worker } from "node:worker_threads";
import { type ErrorCode, type ErrorDetail, EventPulseError } from "../../model/error.ts";

/**
 * Ports across threads: the same interface on both sides, each call a message and its answer. Arguments and results are
 * structured clones; errors keep their code. Only methods that return a promise of plain data can be called.
 */
interface Call {
  readonly call: number;
  readonly target: string;
  readonly method: string;
  readonly arguments: readonly unknown[];
}
interface Answer {
  readonly answer: number;
  readonly value?: unknown;
  readonly error?: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly errors: readonly ErrorDetail[];
    readonly retryAfterSeconds: number | null;
  };
}

type Methods = Readonly<Record<string, (...parameters: unknown[]) => unknown>>;

/** Answers calls to `targets` that arrive on `port`. */
export function serveCalls(port: MessagePort, targets: Readonly<Record<string, object>>): void {
  port.on("message", async (message: Partial<Call>) => {
    if (message.call === undefined) return;
    const { call, target = "", method = "" } = message;
    try {
      const methods = targets[target] as Methods;
      port.postMessage({ answer: call, value: await methods[method]?.(...(message.arguments ?? [])) } satisfies Answer);
    } catch (error) {
      port.postMessage({ answer: call, error: encodeError(error) } satisfies Answer);
    }
  });
}

/** Calls to one worker. `stop` fails what is still waiting, and everything after it. */
export class ThreadCalls {
  readonly #worker: Pick<Worker, "postMessage">;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #next = 1;
  #stopped: string | null = null;

  constructor(worker: Pick<Worker, "postMessage" | "on">) {
    this.#worker = worker;
    worker.on("message", (message: Partial<Answer>) => {
      if (message.answer !== undefined) this.#settle(message as Answer);
    });
  }

  /** The port behind `target` of the worker. */
  port<Port extends object>(target: string): Port {
    return new Proxy({} as Port, {
      get:
        (_, method) =>
        (...parameters: unknown[]) =>
          this.#call(target, String(method), parameters),
    });
  }

  stop(reason: string): void {
    this.#stopped = reason;
    for (const { reject } of this.#waiting.values()) reject(this.#gone());
    this.#waiting.clear();
  }

  #call(target: string, method: string, parameters: readonly unknown[]): Promise<unknown> {
    if (this.#stopped !== null) return Promise.reject(this.#gone());
    return new Promise((resolve, reject) => {
      const call = this.#next++;
      this.#waiting.set(call, { resolve, reject });
      this.#worker.postMessage({ call, target, method, arguments: parameters } satisfies Call);
    });
  }

  #settle({ answer, value, error }: Answer): void {
    const waiting = this.#waiting.get(answer);
    this.#waiting.delete(answer);
    if (error === undefined) waiting?.resolve(value);
    else {
      const { code, message, errors, retryAfterSeconds } = error;
      const options = retryAfterSeconds === null ? { errors } : { errors, retryAfterSeconds };
      waiting?.reject(new EventPulseError(code, message, options));
    }
  }

  #gone(): EventPulseError {
    return new EventPulseError("SHUTTING_DOWN", `${this.#stopped}; try again.`, { retryAfterSeconds: 1 });
  }
}

function encodeError(error: unknown): NonNullable<Answer["error"]> {
  if (error instanceof EventPulseError) {
    const { code, message, errors, retryAfterSeconds } = error;
    return { code, message, errors, retryAfterSeconds };
  }
  // The database could not be written: a full disk or a broken one, and the caller may try again.
  if (error instanceof Error && (error as NodeJS.ErrnoException).code === "ERR_SQLITE_ERROR") {
    const message = `The database cannot be used right now: ${error.message}.`;
    return { code: "NOT_DURABLE", message, errors: [], retryAfterSeconds: 1 };
  }
  return {
    code: "INTERNAL",
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    errors: [],
    retryAfterSeconds: null,
  };
}
