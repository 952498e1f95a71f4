import type { DetectorState, StoredDetectorState } from "../../../model/anomaly.ts";
import type { Outcome } from "../../../model/outcome.ts";
import type { RecordTable } from "../../../ports/record-table.ts";

type DetectorKey = Pick<DetectorState, "rule" | "key">;

/** Detector states while outcomes are computed that are committed together: each starts from what the one before leaves. */
export class StepStates implements Pick<RecordTable, "loadStates"> {
  readonly #records: Pick<RecordTable, "loadStates">;
  readonly #states = new Map<string, StoredDetectorState>();

  constructor(records: Pick<RecordTable, "loadStates">) {
    this.#records = records;
  }

  async loadStates(tenant: string, keys: readonly DetectorKey[]): Promise<readonly StoredDetectorState[]> {
    const missing = keys.filter((key) => !this.#states.has(nameOf(tenant, key)));
    for (const state of missing.length > 0 ? await this.#records.loadStates(tenant, missing) : []) {
      this.#states.set(nameOf(tenant, state), state);
    }
    return keys.flatMap((key) => this.#states.get(nameOf(tenant, key)) ?? []);
  }

  /** The outcome will be committed: its states are the next ones to start from. */
  remember({ meta, states }: Outcome): void {
    for (const state of states) {
      const name = nameOf(meta.tenant, state);
      const falsePositives = this.#states.get(name)?.falsePositives ?? 0;
      this.#states.set(name, { ...state, version: state.version + 1, falsePositives });
    }
  }
}

function nameOf(tenant: string, { rule, key }: DetectorKey): string {
  return `${tenant}\n${rule}\n${key}`;
}
