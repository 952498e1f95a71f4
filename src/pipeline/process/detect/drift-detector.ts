import type { Detector, DriftDetectorOptions, Judgement, Verdict } from "../../../model/detector.ts";
import { deviationLimit, scoreOf, weekMillis } from "./alarm-probability.ts";
import { fieldShapes, type Shape, shapes } from "./field-shapes.ts";
import { leniency } from "./leniency.ts";
import { addNewcomer, type Newcomers, newcomerScore } from "./newcomers.ts";
import { percentText } from "./percent-text.ts";

type Fields = Readonly<Record<string, unknown>>;

/** At most about 14 KB as JSON: 128 fields with paths of 80 characters. */
interface DriftState {
  /** Windows that have ended. */
  readonly windows: number;
  /** Records of the one under way, and when it began. */
  readonly records: number;
  readonly since: number;
  readonly fields: readonly Field[];
  readonly newcomers: Newcomers;
  readonly firstAt: number;
  readonly lastAt: number;
}

/**
 * Of one field: its path; the shapes it has had, a bit each; in how many records of this window it has a value; the share of records
 * before in which it had none; how much more than chance that share varies from window to window.
 */
type Field = readonly [path: string, shapes: number, filled: number, empty: number, dispersion: number];

const fieldsMax = 128;
/** Windows that are only learned from. */
const windowsLearned = 2;
/** Windows that a share is the mean of. */
const memory = 20;
/** What is told is learned at once: it is the new normal. */
const toldWeight = 0.5;
/** A share that moved by less is nothing that breaks anybody's report. */
const changeMin = 0.05;
/** What one window may add to the dispersion, in dispersions. */
const dispersionTermMax = 9;
/** A field that is empty so often is forgotten when there is no room for new ones. */
const emptyForgotten = 0.999;
/** Fields named in one sentence. */
const namedMax = 5;

/**
 * Schema drift: what records look like, whatever their contract allows.
 *
 * - A field that no record had, or one whose type was never seen (`null` is no type), is told with its record, unless new ones
 *   come all the time (`newcomers.ts`), as the names in a map do.
 * - A field that is missing or `null` more or less often than before, or has vanished, is told when a window of records has ended: the
 *   shares of the window and of the twenty before are compared (two-proportion z-test with pooled variance, over-dispersion
 *   estimated from the windows), for all fields together no more often than there may be false alarms, and only from a change of 5 % on.
 *
 * What was told is normal from then on. Only names and types are kept, no values.
 */
export function driftDetector(options: DriftDetectorOptions): Detector<Fields, DriftState> {
  const { window, falseAlarmsPerWeek } = options;
  return {
    kind: "drift",
    judge({ time, value: record, falsePositives }, stored) {
      const known = stored ?? newState(time);
      const learning = known.windows < windowsLearned;
      const present = fieldShapes(record);
      const news = newsOf(known, present);
      const noted = note(known, present, time, learning ? 0 : news.length);
      const ended = noted.records < window ? null : endWindow(noted, options, falsePositives);
      const state = ended?.state ?? noted;
      if (learning) {
        const why = `Learning: ${known.windows * window + known.records} of the ${windowsLearned * window} records needed before this rule judges.`;
        return { verdict: { score: 0, anomalous: false, inconclusive: true, why }, state };
      }
      const score = newcomerScore(known.newcomers, time, falseAlarmsPerWeek, falsePositives);
      const fresh = news.length > 0 && score >= 0.5 ? newsVerdict(news, score) : null;
      // What is new in this record comes first: the window speaks of many.
      return { verdict: fresh ?? ended?.verdict ?? undecided, state };
    },
  };
}

const undecided: Verdict = {
  ...{ score: 0, anomalous: false, inconclusive: true },
  why: "Its fields are known; how often each is empty is judged when the window has ended.",
};

function newState(time: number): DriftState {
  return {
    ...{ windows: 0, records: 0, since: time, fields: [], newcomers: { count: 0, at: time } },
    ...{ firstAt: time, lastAt: time },
  };
}

interface News {
  readonly path: string;
  readonly shape: Shape;
  /** The shapes it has had; none: the field is new. */
  readonly before: readonly Shape[];
}

/** Fields and types that no record before had. */
function newsOf({ fields }: DriftState, present: ReadonlyMap<string, Shape>): readonly News[] {
  const known = new Map(fields.map(([path, had]) => [path, had]));
  const hasRoom = fields.length < fieldsMax || fields.some(isForgotten);
  return [...present].flatMap(([path, shape]): readonly News[] => {
    const had = known.get(path);
    if (had === undefined) return hasRoom ? [{ path, shape, before: [] }] : [];
    if (shape === "null" || (had & bitOf(shape)) !== 0) return [];
    const before = shapes.filter((one) => one !== "null" && (had & bitOf(one)) !== 0);
    // Until now it was always null: that it has a value is no other type.
    return before.length === 0 ? [] : [{ path, shape, before }];
  });
}

function bitOf(shape: Shape): number {
  return 1 << shapes.indexOf(shape);
}

function isForgotten([, , filled, empty]: Field): boolean {
  return filled === 0 && empty >= emptyForgotten;
}

/** Counts a record. */
function note(known: DriftState, present: ReadonlyMap<string, Shape>, time: number, news: number): DriftState {
  const left = new Map(present);
  const fields = known.fields.map((field): Field => {
    const [path, had, filled, empty, dispersion] = field;
    const shape = left.get(path);
    if (shape === undefined) return field;
    left.delete(path);
    return [path, had | bitOf(shape), filled + (shape === "null" ? 0 : 1), empty, dispersion];
  });
  for (const [path, shape] of left) {
    const place = fields.length < fieldsMax ? fields.length : fields.findIndex(isForgotten);
    if (place < 0) break;
    fields[place] = [path, bitOf(shape), shape === "null" ? 0 : 1, 1, 1];
  }
  return {
    windows: known.windows,
    records: known.records + 1,
    since: known.records === 0 ? time : Math.min(known.since, time),
    fields,
    newcomers: news > 0 ? addNewcomer(known.newcomers, time) : known.newcomers,
    firstAt: Math.min(known.firstAt, time),
    lastAt: Math.max(known.lastAt, time),
  };
}

function newsVerdict(news: readonly News[], score: number): Verdict {
  const texts = news.map(({ path, shape, before }) =>
    before.length === 0
      ? `${path} is a new field (${shape})`
      : `${path} is a ${shape} and was always ${before.join(" or ")}`,
  );
  const [first] = news;
  return {
    score,
    anomalous: true,
    why: `${listed(texts, "; ")}.`,
    about: { field: first?.path ?? "", value: first?.shape ?? "" },
  };
}

function listed(texts: readonly string[], separator: string): string {
  const named = texts.slice(0, namedMax).join(separator);
  return texts.length > namedMax ? `${named} and ${texts.length - namedMax} more` : named;
}

/** A field that is empty more or less often than before. */
interface Change {
  readonly path: string;
  readonly before: number;
  readonly now: number;
  readonly score: number;
  /** How far the share may move by chance. */
  readonly margin: number;
}

/** Compares the window with those before, learns from it, and begins the next. */
function endWindow(state: DriftState, options: DriftDetectorOptions, falsePositives: number): Judgement<DriftState> {
  const { windows, records, since, firstAt, lastAt } = state;
  const earlier = Math.min(windows, memory) * records;
  const windowMillis = Math.max(1, (lastAt - firstAt) / (windows + 1));
  const looks = (weekMillis / windowMillis) * state.fields.length;
  const limit = deviationLimit(options.falseAlarmsPerWeek, looks) * leniency(falsePositives);
  const changes: Change[] = [];
  const fields = state.fields.map(([path, had, filled, before, dispersion]): Field => {
    const now = 1 - filled / records;
    if (windows === 0) return [path, had, 0, now, 1];
    const deviation = Math.abs(now - before) / standardError(now, before, records, earlier);
    const margin = limit * Math.sqrt(dispersion) * standardError(now, before, records, earlier);
    const told = windows >= windowsLearned && Math.abs(now - before) > Math.max(margin, changeMin);
    if (told) changes.push({ path, before, now, score: scoreOf(deviation, limit * Math.sqrt(dispersion)), margin });
    const term = Math.min(deviation ** 2, dispersionTermMax * dispersion);
    const weight = 1 / Math.min(windows + 1, memory);
    return [
      path,
      had,
      0,
      rounded(before + (now - before) * (told ? toldWeight : weight)),
      told ? dispersion : rounded(Math.max(1, dispersion + (term - dispersion) * weight)),
    ];
  });
  const next = { ...state, windows: windows + 1, records: 0, since: lastAt, fields };
  return { verdict: changesVerdict(changes, records, since), state: next };
}

/** Of the difference of two shares, where both are the same; one record more in each, so that 0 of 200 is not never. */
function standardError(now: number, before: number, records: number, earlier: number): number {
  const pooled = (now * records + before * earlier + 1) / (records + earlier + 2);
  return Math.sqrt(pooled * (1 - pooled) * (1 / records + 1 / earlier));
}

function rounded(share: number): number {
  return Math.round(share * 1e5) / 1e5;
}

function changesVerdict(changes: readonly Change[], records: number, since: number): Verdict {
  const worst = changes.reduce<Change | null>(
    (best, one) => (best !== null && best.score >= one.score ? best : one),
    null,
  );
  if (worst === null) return { score: 0, anomalous: false, why: "Each field is empty about as often as before." };
  const { path, before, now, score, margin } = worst;
  const is =
    now === 1 ? "has vanished: it is missing or null in all of" : `is missing or null in ${percentText(now)} of`;
  const others = changes.filter((one) => one !== worst).map((one) => `${one.path} ${percentText(one.now)}`);
  const also = others.length === 0 ? "" : `; also ${listed(others, ", ")}`;
  return {
    score,
    anomalous: true,
    expectedLow: Math.max(0, before - margin),
    expectedHigh: Math.min(1, before + margin),
    why: `${path} ${is} the last ${records} records; before in ${percentText(before)}${also}.`,
    about: { field: path, value: now, since },
  };
}
