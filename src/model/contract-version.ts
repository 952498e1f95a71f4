/** A contract of a stream that is or was in force. */
export interface ContractVersion {
  readonly stream: string;
  /** `Contract.version`: changes when the schema does. */
  readonly version: string;
  /** `StreamDefinition.version`: what its owner calls it; null: nothing. */
  readonly announced: string | null;
  /** JSON Schema 2020-12 of the events; null when the schema's library cannot tell. */
  readonly jsonSchema: Readonly<Record<string, unknown>> | null;
  /** When it came into force, the last time if it did more than once. Milliseconds since 1970. */
  readonly firstSeenAt: number;
}
