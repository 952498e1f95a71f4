/** The thread of dry runs: started by `DryRunThread` when somebody asks for the first one. Keeps nothing and writes nothing. */
import { parentPort, workerData } from "node:worker_threads";
import { loadConfig } from "../../config/load.ts";
import { assert, EventPulseError } from "../../model/error.ts";
import { type EditRequest, judgeEdit } from "../../pipeline/failures/edit.ts";
import { compileContract } from "../../pipeline/process/compile-contract.ts";
import type { Contract } from "../../pipeline/process/contract.ts";
import { type DryRunRequest, dryRun } from "../../pipeline/process/dry-run.ts";
import type { DryRuns, DryRunThreadData } from "./dry-run-thread-client.ts";
import { serveCalls } from "./thread-calls.ts";

/** What is tried: events before they are sent, or an edit before it is kept. */
export type Trial =
  | { readonly kind: "events"; readonly request: DryRunRequest }
  | { readonly kind: "edit"; readonly request: EditRequest };

assert(parentPort !== null, "the thread of dry runs is started as a worker");
const { configFile } = workerData as DryRunThreadData;
const { project } = await loadConfig(configFile);

serveCalls(parentPort, {
  dryRuns: {
    async run(trial) {
      if (trial.kind === "edit") {
        return JSON.stringify(await judgeEdit(trial.request, contractOf(trial.request.failure.stream)));
      }
      const { stream, ...request } = trial.request;
      return JSON.stringify(await dryRun({ ...request, contract: contractOf(stream) }));
    },
  } satisfies DryRuns<Trial>,
});
parentPort.postMessage({ kind: "ready" });

function contractOf(stream: string): Contract {
  const definition = project.streams.get(stream);
  if (definition === undefined) throw new EventPulseError("STREAM_UNKNOWN", "The stream is not in the config now.");
  return compileContract(definition);
}
