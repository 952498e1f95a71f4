/**
 * Runs in a child process on Lambda's Node, as Lambda's own bootstrap does: imports `index.mjs` of the folder it is started in
 * once, then calls its handler for each message, one at a time. Nothing of this project is imported.
 */
import { pathToFileURL } from "node:url";
import type { InvokeAnswer, InvokeRequest } from "./function-instance.ts";

type Handler = (event: unknown, context: object) => Promise<unknown>;

const started = performance.now();
const { handler } = (await import(pathToFileURL(`${process.cwd()}/index.mjs`).href)) as { handler: Handler };
send({ kind: "ready", importMillis: performance.now() - started });
process.on("message", (request: InvokeRequest) => void invoke(request));
// Without its driver nothing will ever come.
process.on("disconnect", () => process.exit(0));

async function invoke({ id, event, deadline, arn }: InvokeRequest): Promise<void> {
  process.env["_X_AMZN_TRACE_ID"] = traceId(id);
  const context = {
    awsRequestId: id,
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env["AWS_LAMBDA_FUNCTION_NAME"],
    functionVersion: "$LATEST",
    invokedFunctionArn: arn,
    memoryLimitInMB: process.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
    logGroupName: process.env["AWS_LAMBDA_LOG_GROUP_NAME"],
    logStreamName: "driver",
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const result = await handler(JSON.parse(event), context);
    send({ kind: "result", id, result: JSON.stringify(result ?? null) });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    send({ kind: "error", id, errorType: name, errorMessage: message, stack: stack ?? "" });
  }
}

function traceId(requestId: string): string {
  const hex = requestId.replaceAll("-", "");
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${seconds}-${hex.slice(0, 24)};Parent=${hex.slice(0, 16)};Sampled=0`;
}

function send(answer: InvokeAnswer): void {
  process.send?.(answer);
}
