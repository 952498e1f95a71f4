import type { DetectorState } from "../../model/anomaly.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { RecordTable } from "../../ports/record-table.ts";

/** States kept in memory; the oldest unused go first and are read again when needed. About 1 KB each. */
const statesMax = 20_000;

/**
 * Detector states between commits. The processing thread is the only writer, so what it computed last is what the next
 * outcome starts from, also before the commit: outcomes of one batch build on each other.
 */
export class DetectorCache implements Pick<RecordTable, "loadStates"> {
  readonly #records: Pick<RecordTable, "loadStates">;
  readonly #states = new Map<string, DetectorState>();

  constructor(records: Pick<RecordTable, "loadStates">) {
    this.#records = records;
  }

  async loadStates(
    tenant: string,
    keys: readonly { readonly rule: string; readonly key: string }[],
  ): Promise<readonly DetectorState[]> {
    const missing = keys.filter(({ rule, key }) => !this.#states.has(stateKey(tenant, rule, key)));
    for (const state of missing.length > 0 ? await this.#records.loadStates(tenant, missing) : [])
      this.#keep(tenant, state);
    return keys.flatMap(({ rule, key }) => this.#states.get(stateKey(tenant, rule, key)) ?? []);
  }

  /** The outcome will be committed: its states are the next ones to start from. */
  remember({ meta, states }: Outcome): void {
    for (const state of states) this.#keep(meta.tenant, { ...state, version: state.version + 1 });
  }

  /** What is stored may not be what was remembered: read it again. */
  clear(): void {
    this.#states.clear();
  }

  /** Drops the oldest; only between batches, so that no state of an outcome under way is lost. */
  trim(): void {
    for (const key of this.#states.keys()) {
      if (this.#states.size <= statesMax) return;
      this.#states.delete(key);
    }
  }

  #keep(tenant: string, state: DetectorState): void {
    const key = stateKey(tenant, state.rule, state.key);
    this.#states.delete(key);
    this.#states.set(key, state);
  }
}

function stateKey(tenant: string, rule: string, key: string): string {
  return `${tenant}\n${rule}\n${key}`;
}
