import { type DeployedFunction, FunctionInstance, type Invocation } from "./function-instance.ts";

interface Waiting {
  readonly event: unknown;
  readonly resolve: (invocation: Invocation) => void;
}

export interface LambdaOptions {
  /** Program of the Node that Lambda runs. */
  readonly lambdaNode: string;
  /** Execution environments at once; calls beyond it wait, where Lambda would start more or refuse. */
  readonly instancesMax: number;
  /** Where the function's calls of AWS go. */
  readonly endpoint: string;
  readonly region: string;
}

/** A function as Lambda runs it: environments that are started when they are needed, stay warm, and are replaced after a crash. */
export class LambdaFunction {
  readonly deployed: DeployedFunction;
  readonly #options: LambdaOptions;
  readonly #idle: FunctionInstance[] = [];
  readonly #all = new Set<FunctionInstance>();
  readonly #waiting: Waiting[] = [];
  #busy = 0;
  #ended = false;
  /** Errors of calls, oldest first: a driver that retries them would hide them. */
  readonly errors: string[] = [];

  constructor(deployed: DeployedFunction, options: LambdaOptions) {
    this.deployed = deployed;
    this.#options = options;
  }

  /** Calls the function once; resolves with its result or its error, and never throws. */
  invoke(event: unknown): Promise<Invocation> {
    return new Promise((resolve) => {
      this.#waiting.push({ event, resolve });
      this.#dispatch();
    });
  }

  get log(): string {
    return [...this.#all].map(({ log }) => log).join("");
  }

  end(): void {
    this.#ended = true;
    for (const instance of this.#all) instance.end();
    for (const { resolve } of this.#waiting.splice(0)) resolve(stopped);
  }

  #dispatch(): void {
    if (this.#ended) {
      for (const { resolve } of this.#waiting.splice(0)) resolve(stopped);
      return;
    }
    if (this.#busy >= this.#options.instancesMax) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#busy++;
    void this.#run(next).finally(() => {
      this.#busy--;
      this.#dispatch();
    });
  }

  async #run({ event, resolve }: Waiting): Promise<void> {
    const instance = this.#idle.pop() ?? this.#start();
    let invocation: Invocation;
    try {
      if (instance.importMillis === null) await instance.ready();
      invocation = await instance.invoke(event);
    } catch (error) {
      invocation = { kind: "error", errorType: "Runtime.InitError", errorMessage: String(error) };
    }
    if (instance.ended) this.#all.delete(instance);
    else this.#idle.push(instance);
    if (invocation.kind === "error" && !this.#ended) {
      this.errors.push(`${this.deployed.name}: ${invocation.errorType}: ${shortened(invocation.errorMessage)}`);
    }
    resolve(invocation);
  }

  #start(): FunctionInstance {
    const { deployed } = this;
    const { endpoint, region, lambdaNode } = this.#options;
    const instance = new FunctionInstance(deployed, lambdaNode, {
      // In the order in which Lambda lays them over each other: what it sets itself cannot be set by a deployment.
      ...deployed.environment,
      AWS_LAMBDA_FUNCTION_NAME: deployed.functionName,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(deployed.memoryMegabytes),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${deployed.functionName}`,
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      LAMBDA_TASK_ROOT: deployed.codeFolder,
      TZ: ":UTC",
      _HANDLER: "index.handler",
      AWS_ENDPOINT_URL: endpoint,
    });
    this.#all.add(instance);
    return instance;
  }
}

/** Without the lines of minified code that Node shows where something was thrown. */
function shortened(message: string): string {
  return message
    .split("\n")
    .filter((line) => line.trim() !== "" && line.length < 300)
    .join("\n")
    .slice(0, 1_500);
}

const stopped: Invocation = { kind: "error", errorType: "Driver.Stopped", errorMessage: "the deployment has ended" };
