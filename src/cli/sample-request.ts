import type { Project, StreamDefinition } from "../model/definition.ts";
import { simulateEvents } from "../pipeline/ingest/simulate.ts";
import { compileContract } from "../pipeline/process/compile-contract.ts";

/** A `curl` to paste that sends a plausible event to the first stream of the project; null when no schema tells what is plausible. */
export function sampleRequest(project: Project, url: string, key: string | null, now: number): string | null {
  const stream = [...project.streams.values()][0];
  const event = stream === undefined ? null : sampleEvent(stream, now);
  if (stream === undefined || event === null) return null;
  const lines = [
    `curl ${url}/v1/streams/${encodeURIComponent(stream.name)}/events`,
    ...(key === null ? [] : [`-H ${quoted(`authorization: Bearer ${key}`)}`]),
    `-H 'content-type: application/json'`,
    `-d ${quoted(JSON.stringify(event))}`,
  ];
  return lines.join(" \\\n  ");
}

function sampleEvent(stream: StreamDefinition, now: number): unknown {
  const { jsonSchema } = compileContract(stream);
  if (jsonSchema === null) return null;
  const faults = { invalid: 0, duplicate: 0, late: 0, spike: 0 };
  const once = { kind: "simulator", stream: stream.name, everyMillis: 1_000, count: 1, seed: 1, faults } as const;
  return simulateEvents(once, jsonSchema, stream, { index: 0, now }).events[0] ?? null;
}

/** One word of a POSIX shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
