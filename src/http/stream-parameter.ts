import * as z from "zod";
import { EventPulseError } from "../model/error.ts";
import type { Contract } from "../pipeline/process/contract.ts";
import { described } from "./described.ts";
import type { Services } from "./services.ts";

export const streamParameter = described("Name of the stream in the config.", z.string());

/** The contract of a stream. Throws STREAM_UNKNOWN with the names that exist. */
export function knownContract(services: Pick<Services, "contract" | "project">, stream: string): Contract {
  const contract = services.contract(stream);
  if (contract !== null) return contract;
  const names = [...services.project().streams.keys()];
  const shown = JSON.stringify(stream.slice(0, 80));
  throw new EventPulseError(
    "STREAM_UNKNOWN",
    `There is no stream ${shown}. The config has: ${names.slice(0, 20).join(", ")}.`,
  );
}
