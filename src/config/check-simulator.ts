import type { SimulatorDefinition } from "../model/definition.ts";
import { limits } from "../model/limits.ts";
import type { CheckedStream } from "./check-stream.ts";
import type { Handle } from "./handle.ts";
import { OptionsReader } from "./options-reader.ts";
import type { Problems, Spot } from "./problems.ts";

const everyRange = { min: 1000, max: 24 * 3_600_000, default: null };

/** One simulator of the config; `stream` as for rules. */
export function checkSimulator(
  label: string,
  handle: Handle<"simulator">,
  stream: CheckedStream | null,
  problems: Problems,
): SimulatorDefinition {
  const spot: Spot = { site: handle.site, path: [], label };
  const options = new OptionsReader(handle.options, ["every", "count", "seed", "faults"], spot, problems);
  if (stream?.contract && stream.contract.jsonSchema === null) {
    const remedy = "describe the stream with zod, or remove the simulator";
    problems.add(spot, `events cannot be made up for a schema whose library gives no JSON Schema; ${remedy}.`);
  }
  const names = ["invalid", "duplicate", "late", "spike"] as const;
  const faults = new OptionsReader(options.value("faults") ?? {}, names, options.at("faults"), problems);
  const probability = (name: (typeof names)[number]) => faults.number(name, 0, { min: 0, max: 1 });
  return {
    kind: "simulator",
    stream: stream?.definition.name ?? "",
    everyMillis: options.duration("every", everyRange),
    count: options.number("count", 10, { min: 1, max: limits.eventsPerRequestMax, integer: true }),
    seed: options.number("seed", 1, { min: 0, max: 2 ** 32 - 1, integer: true }),
    faults: {
      invalid: probability("invalid"),
      duplicate: probability("duplicate"),
      late: probability("late"),
      spike: probability("spike"),
    },
  };
}
