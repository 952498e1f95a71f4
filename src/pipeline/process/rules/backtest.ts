import type { AnomalyDraft, DetectorState } from "../../../model/anomaly.ts";
import type { AnomalyDefinition } from "../../../model/definition.ts";
import { assert, EventPulseError } from "../../../model/error.ts";
import { parseRecordId, type RecordId } from "../../../model/record.ts";
import { detectAll } from "./detect-all.ts";

/** A stored record, as far as a rule sees it. */
export interface BacktestRecord {
  /** `evt_…` */
  readonly id: string;
  /** Event time and receipt, milliseconds since 1970. */
  readonly time: number;
  readonly receivedAt: number;
  readonly data: Record<string, unknown>;
}

/** What the rule finds, with the id under which processing would store it. */
export interface BacktestFind extends AnomalyDraft {
  /** Null: it is about a period, not a record. */
  readonly recordId: string | null;
}

export interface BacktestSummary {
  readonly records: number;
  /** Keys that had something to judge. */
  readonly series: number;
  readonly finds: number;
  readonly incidents: number;
  /** Incidents a series and week: so many false alarms, if all were false. Null: nothing was judged, or only one moment. */
  readonly falseAlarmsPerWeek: number | null;
}

const weekMillis = 7 * 24 * 60 * 60_000;

/**
 * Runs one rule over stored records exactly as processing runs it over new ones, but for the store: it begins knowing
 * nothing, and what it learns is kept here. That nothing comes is not judged.
 */
export class Backtest {
  readonly #rule: AnomalyDefinition;
  readonly #states = new Map<string, DetectorState>();
  readonly #incidents = new Set<string>();
  #records = 0;
  #finds = 0;
  #earliest = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;

  constructor(rule: AnomalyDefinition) {
    this.#rule = rule;
  }

  /** Takes the next records, in the order in which they are to be judged. Throws CONFIG_INVALID when a detector of one's own fails. */
  async add(records: readonly BacktestRecord[]): Promise<readonly BacktestFind[]> {
    const inputs = records.map(({ id, time, receivedAt, data }, index) => {
      this.#earliest = Math.min(this.#earliest, time);
      this.#latest = Math.max(this.#latest, time);
      return { draft: { id: knownId(id), time, index }, result: data, receivedAt };
    });
    const { anomalies, states, troubles } = await detectAll("", [this.#rule], inputs, {
      loadStates: async (_tenant, keys) =>
        keys.flatMap(({ key }) => {
          const state = this.#states.get(key);
          return state === undefined ? [] : [{ ...state, falsePositives: 0 }];
        }),
    });
    const [trouble] = troubles;
    if (trouble !== undefined) {
      throw new EventPulseError("CONFIG_INVALID", `The detector of ${trouble.rule} failed: ${trouble.message}`);
    }
    for (const state of states) this.#states.set(state.key, state);
    for (const { incident } of anomalies) this.#incidents.add(incident);
    this.#records += records.length;
    this.#finds += anomalies.length;
    return anomalies.map((anomaly) => {
      return { ...anomaly, recordId: anomaly.index === null ? null : (records[anomaly.index]?.id ?? null) };
    });
  }

  summary(): BacktestSummary {
    const series = this.#states.size;
    const incidents = this.#incidents.size;
    const seriesWeeks = (series * (this.#latest - this.#earliest)) / weekMillis;
    return {
      records: this.#records,
      series,
      finds: this.#finds,
      incidents,
      falseAlarmsPerWeek: seriesWeeks > 0 ? incidents / seriesWeeks : null,
    };
  }
}

function knownId(text: string): RecordId {
  const id = parseRecordId(text);
  assert(id !== null, `${text} is the id of a stored record`);
  return id;
}
