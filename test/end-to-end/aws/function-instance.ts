import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A function as it was deployed: what Lambda's GetFunctionConfiguration says, and its code unpacked. */
export interface DeployedFunction {
  /** Its short name: http, process, … */
  readonly name: string;
  readonly functionName: string;
  readonly arn: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Folder that holds `index.mjs`. */
  readonly codeFolder: string;
}

export interface InvokeRequest {
  readonly id: string;
  /** JSON. */
  readonly event: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly arn: string;
}
export type InvokeAnswer =
  | { readonly kind: "ready"; readonly importMillis: number }
  | { readonly kind: "result"; readonly id: string; readonly result: string }
  | {
      readonly kind: "error";
      readonly id: string;
      readonly errorType: string;
      readonly errorMessage: string;
      readonly stack: string;
    };

/** What a call of a function gives, in the terms of Lambda's Invoke: its result, or the error that the function has. */
export type Invocation =
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "error"; readonly errorType: string; readonly errorMessage: string };

/** Lambda's payload of a synchronous call, in each direction. */
const payloadBytesMax = 6 * 1024 * 1024;
const startMillisMax = 10_000;
const logCharactersKept = 20_000;

/**
 * One execution environment: a process of Lambda's Node that serves one call at a time. Between calls it is stopped, as
 * Lambda freezes it, so that work which a handler leaves behind does not go on in silence. A call past the function's timeout
 * ends the process; so does a crash, and either is the error of that call. The instance is of no more use then (`ended`).
 */
export class FunctionInstance {
  readonly #function: DeployedFunction;
  readonly #child: ChildProcess;
  #log = "";
  ended = false;
  /** How long the import of the code took; null until it has. */
  importMillis: number | null = null;

  constructor(deployed: DeployedFunction, lambdaNode: string, environment: Readonly<Record<string, string>>) {
    this.#function = deployed;
    const runtime = fileURLToPath(new URL("runtime.ts", import.meta.url));
    const heap = `--max-old-space-size=${Math.floor(deployed.memoryMegabytes * 0.9)}`;
    const child = spawn(lambdaNode, [heap, "--experimental-strip-types", "--no-warnings", runtime], {
      cwd: deployed.codeFolder,
      env: { ...environment, PATH: process.env["PATH"] ?? "" },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "json",
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-logCharactersKept);
      });
    }
    child.once("exit", () => {
      this.ended = true;
    });
  }

  /** What the function has logged lately. */
  get log(): string {
    return this.#log;
  }

  /** Resolves when the code is imported; throws with what it said when it cannot be. */
  async ready(): Promise<void> {
    const answer = await this.#next(startMillisMax, (message) => message.kind === "ready");
    if (answer === "ended" || answer === "late") {
      this.end();
      throw new Error(`${this.#function.functionName} did not start (${answer}):\n${this.#log}`);
    }
    if (answer.kind === "ready") this.importMillis = answer.importMillis;
    this.#child.kill("SIGSTOP");
  }

  async invoke(event: unknown): Promise<Invocation> {
    const text = JSON.stringify(event);
    const failed = (errorType: string, errorMessage: string): Invocation => ({
      kind: "error",
      errorType,
      errorMessage,
    });
    if (Buffer.byteLength(text) > payloadBytesMax) return failed("RequestEntityTooLargeException", "over 6 MB");
    const id = randomUUID();
    const millis = this.#function.timeoutSeconds * 1000;
    this.#child.kill("SIGCONT");
    const answered = this.#next(millis, (message) => message.kind !== "ready" && message.id === id);
    const request: InvokeRequest = { id, event: text, deadline: Date.now() + millis, arn: this.#function.arn };
    this.#child.send(request, () => undefined);
    const answer = await answered;
    if (answer === "late" || answer === "ended") {
      this.end();
      if (answer === "late")
        return failed("Sandbox.Timedout", `Task timed out after ${this.#function.timeoutSeconds} s`);
      return failed("Runtime.ExitError", `the process has ended:\n${this.#log.slice(-2_000)}`);
    }
    this.#child.kill("SIGSTOP");
    if (answer.kind === "error") return failed(answer.errorType, `${answer.errorMessage}\n${answer.stack}`);
    if (answer.kind !== "result") return failed("Runtime.Unknown", "the runtime answered out of turn");
    if (Buffer.byteLength(answer.result) > payloadBytesMax)
      return failed("Function.ResponseSizeTooLarge", "the answer is over 6 MB");
    return { kind: "result", result: JSON.parse(answer.result) };
  }

  /** At once: a frozen process takes no other signal. */
  end(): void {
    this.ended = true;
    this.#child.kill("SIGKILL");
  }

  async #next(millis: number, fits: (message: InvokeAnswer) => boolean): Promise<InvokeAnswer | "late" | "ended"> {
    if (this.ended) return "ended";
    const abort = new AbortController();
    const { signal } = abort;
    const timer = setTimeout(() => abort.abort(), millis);
    try {
      const exited = once(this.#child, "exit", { signal }).then(() => "ended" as const);
      const answered = new Promise<InvokeAnswer>((resolve) => {
        const listener = (message: InvokeAnswer) => {
          if (!fits(message)) return;
          this.#child.off("message", listener);
          resolve(message);
        };
        this.#child.on("message", listener);
        signal.addEventListener("abort", () => this.#child.off("message", listener));
      });
      return await Promise.race([answered, exited]);
    } catch {
      return "late";
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }
}
