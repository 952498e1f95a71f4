import type { DetectorState, StoredDetectorState } from "../../model/anomaly.ts";
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
  readonly #states = new Map<string, StoredDetectorState>();

  constructor(records: Pick<RecordTable, "loadStates">) {
    this.#records = records;
  }

  async loadStates(
    tenant: string,
    keys: readonly { readonly rule: string; readonly key: string }[],
  ): Promise<readonly StoredDetectorState[]> {
    const missing = keys.filter(({ rule, key }) => !this.#states.has(stateKey(tenant, rule, key)));
    for (const state of missing.length > 0 ? await this.#records.loadStates(tenant, missing) : [])
      this.#keep(tenant, state);
    return keys.flatMap(({ rule, key }) => this.#states.get(stateKey(tenant, rule, key)) ?? []);
  }

  /** The outcome will be committed: its states are the next ones to start from. */
  remember({ meta, states }: Outcome): void {
    for (const state of states) {
      // As they are now: somebody may have changed them while the outcome was computed.
      const falsePositives = this.#states.get(stateKey(meta.tenant, state.rule, state.key))?.falsePositives ?? 0;
      this.#keep(meta.tenant, { ...state, version: state.version + 1, falsePositives });
    }
  }

  /** Somebody said something of an anomaly: the next outcome takes it into account. The state itself may be ahead of what is stored. */
  noteFalsePositives(tenant: string, { rule, key }: Pick<DetectorState, "rule" | "key">, falsePositives: number): void {
    const known = this.#states.get(stateKey(tenant, rule, key));
    if (known !== undefined) this.#states.set(stateKey(tenant, rule, key), { ...known, falsePositives });
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

  #keep(tenant: string, state: StoredDetectorState): void {
    const key = stateKey(tenant, state.rule, state.key);
    this.#states.delete(key);
    this.#states.set(key, state);
  }
}

function stateKey(tenant: string, rule: string, key: string): string {
  return `${tenant}\n${rule}\n${key}`;
}
