import type { ErrorDetail } from "../../model/error.ts";
import { type AcceptRequest, readRequest } from "../ingest/accept.ts";
import { type EventResult, processEvent } from "./process-event.ts";

/** What a dry run says of one event. */
export interface DryRunResult {
  readonly index: number;
  readonly outcome: "stored" | "dropped" | "quarantined" | "failed";
  readonly errors: readonly ErrorDetail[];
  /** The data of the records that it would become. */
  readonly results: readonly unknown[];
}

/** A request to try: the contract by the name of its stream, so that it can go to another thread or process. */
export type DryRunRequest = Omit<AcceptRequest, "contract"> & { readonly stream: string };

/** Reads, judges and transforms every event of a request as processing would, and keeps nothing. Throws what `readRequest` throws. */
export async function dryRun(request: AcceptRequest): Promise<readonly DryRunResult[]> {
  const { meta, events } = readRequest(request);
  const results: DryRunResult[] = [];
  for (const event of events) {
    results.push(described(event.index, await processEvent(event, meta, request.contract)));
  }
  return results;
}

function described(index: number, result: EventResult): DryRunResult {
  if (result.kind === "dropped") return { index, outcome: "dropped", errors: [], results: [] };
  if (result.kind === "failed") {
    return { index, outcome: result.transient ? "failed" : "quarantined", errors: result.errors, results: [] };
  }
  return { index, outcome: "stored", errors: [], results: result.records.map(({ result: data }) => data) };
}
