import type { StandardSchema, StreamDefinition } from "../../src/model/definition.ts";
import { retentionMillisDefault } from "../../src/model/limits.ts";

/** A stream definition around a schema, as the loader would make it. */
export function streamOf(schema: StandardSchema, more: Partial<StreamDefinition> = {}): StreamDefinition {
  const kept = retentionMillisDefault;
  return {
    kind: "stream",
    name: "orders",
    schema,
    version: null,
    key: null,
    time: null,
    retention: { raw: kept, records: kept, failures: kept },
    pii: [],
    transform: null,
    owner: [],
    ...more,
  };
}
