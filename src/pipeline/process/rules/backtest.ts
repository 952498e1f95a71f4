import type { AnomalyDraft, DetectorState } from "../../../model/anomaly.ts";
import type { AnomalyDefinition } from "../../../model/definition.ts";
import { assert, EventPulseError } from "../../../model/error.ts";
import { parseRecordId, type RecordId } from "../../../model/record.ts";
import { arrivalRuns, askEveryMillis, fastestMillis } from "./arrival-runs.ts";
import { type Detected, detectAll } from "./detect-all.ts";
import { detectSilence } from "./detect-silence.ts";
import { knowsSilence } from "./judge-silence.ts";

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
 * nothing, and what it learns is kept here. Silence is judged as if EventPulse had been up all the time.
 */
export class Backtest {
  readonly #rule: AnomalyDefinition;
  readonly #knowsSilence: boolean;
  readonly #states = new Map<string, DetectorState>();
  /** No state is due earlier. */
  #dueFrom = Number.POSITIVE_INFINITY;
  /** How far clocks ran ahead, of the records that were added last: 0 or less. */
  #aheadMillis = 0;
  readonly #incidents = new Set<string>();
  #records = 0;
  #finds = 0;
  #earliest = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;

  constructor(rule: AnomalyDefinition) {
    this.#rule = rule;
    this.#knowsSilence = knowsSilence({ anomalies: [rule] });
  }

  /**
   * Takes the next records, by event time, and judges them in this order. Those given at once should be many: a record that
   * came late is known by what came earlier behind it. Throws CONFIG_INVALID when a detector of one's own fails.
   */
  async add(records: readonly BacktestRecord[]): Promise<readonly BacktestFind[]> {
    if (!this.#knowsSilence || records.length === 0) return this.#judge(records);
    this.#aheadMillis = Math.min(0, fastestMillis(records));
    const finds: BacktestFind[] = [];
    for (const run of arrivalRuns(records)) {
      finds.push(...this.#judgeSilence(run.seenUntil), ...(await this.#judge(run.records)));
    }
    return finds;
  }

  /** What is silent when the records end: all that happened before `time` is added. Throws as `add` does. */
  end(time: number): readonly BacktestFind[] {
    return this.#judgeSilence(time + this.#aheadMillis);
  }

  async #judge(records: readonly BacktestRecord[]): Promise<readonly BacktestFind[]> {
    const inputs = records.map(({ id, time, receivedAt, data }, index) => {
      this.#earliest = Math.min(this.#earliest, time);
      this.#latest = Math.max(this.#latest, time);
      return { draft: { id: knownId(id), time, index }, result: data, receivedAt };
    });
    this.#records += records.length;
    const detected = await detectAll("", [this.#rule], inputs, {
      loadStates: async (_tenant, keys) =>
        keys.flatMap(({ key }) => {
          const state = this.#states.get(key);
          return state === undefined ? [] : [{ ...state, falsePositives: 0 }];
        }),
    });
    return this.#keep(detected, records);
  }

  /** All keys are looked at, but only when one may be due: once in the shortest silence of any, however many records there are. */
  #judgeSilence(until: number): readonly BacktestFind[] {
    if (until < this.#dueFrom) return [];
    const due = [...this.#states.values()].flatMap((state) => {
      const askAt = Math.ceil((state.dueAt ?? Number.POSITIVE_INFINITY) / askEveryMillis) * askEveryMillis;
      return askAt <= until ? [{ askAt, state: { ...state, falsePositives: 0 } }] : [];
    });
    const finds = due
      .sort((one, other) => one.askAt - other.askAt)
      .flatMap(({ askAt, state }) => {
        const asked = (seenUntil: number) => detectSilence("", this.#rule, state, { seenUntil, watchedSince: 0 });
        const detected = asked(askAt);
        // One that says no when it is due is asked again and again live: if ever it says yes, then at the end.
        return this.#keep(detected.states.length > 0 ? detected : asked(until), []);
      });
    this.#dueFrom = [...this.#states.values()].reduce(
      (earliest, { dueAt = earliest }) => Math.min(earliest, dueAt),
      Number.POSITIVE_INFINITY,
    );
    return finds;
  }

  #keep({ anomalies, states, troubles }: Detected, records: readonly BacktestRecord[]): readonly BacktestFind[] {
    const [trouble] = troubles;
    if (trouble !== undefined) {
      throw new EventPulseError("CONFIG_INVALID", `The detector of ${trouble.rule} failed: ${trouble.message}`);
    }
    for (const state of states) {
      this.#states.set(state.key, state);
      this.#dueFrom = Math.min(this.#dueFrom, state.dueAt ?? Number.POSITIVE_INFINITY);
    }
    for (const { incident } of anomalies) this.#incidents.add(incident);
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
