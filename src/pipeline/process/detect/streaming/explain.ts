import { numberText } from "../number-text.ts";
import { compared, deviationOf, spreadOf, uncompared } from "./learn-value.ts";
import { type Aspect, aspects, courseRows, type SeriesState } from "./series-state.ts";
import { streamingTuning } from "./streaming-tuning.ts";

/** How unusual a value is in each aspect: -log10 of the share of values that are as unusual. */
export type Evidence = Partial<Record<Aspect, number>>;

export interface Band {
  readonly low: number;
  readonly high: number;
}

/** The words are those of the shipped windows: who tries others asks for no words. */
const { shortRows, longRows } = streamingTuning;
/** What is as unusual as once in thirty is worth a mention beside the main reason. */
const mentionedMin = 1.5;
/** No series was seen long enough to tell more. */
const onceInMax = 6;
/** Of normal noise, 99.9 % lies within four times its mean distance from the middle. */
const noiseShare = 4;

/** What `known` expects of a value at `time`; null while it is learning. */
export function expectedBand(known: SeriesState, time: number): Band | null {
  if (known.get("scale") === 0) return null;
  const days = known.days.ranges(time);
  const noise = known.get("noise");
  if (days !== null) {
    const margin = noiseShare * noise;
    return { low: uncompared(known, days.low) - margin, high: uncompared(known, days.high) + margin };
  }
  const values = known.course.subarray(0, Math.min(courseRows, known.get("rows")));
  return { low: Math.min(...values) - noise, high: Math.max(...values) + noise };
}

/** Why `value` was judged as it was: in which aspect it is most unusual, compared with what, and how often that comes. */
export function explain(
  known: SeriesState,
  learned: SeriesState,
  time: number,
  value: number,
  evidence: Evidence,
): string {
  const [main, ...others] = aspects
    .filter((aspect) => evidence[aspect] !== undefined)
    .sort((one, other) => weight(other, evidence) - weight(one, evidence));
  if (main === undefined) return `Learning: ${learned.get("rows")} values so far, too few to compare with.`;
  const reason = reasons[main]({ known, learned, time, value });
  const often = `such a distance comes ${onceIn(evidence[main] ?? 0)}`;
  const also = others.filter((aspect) => (evidence[aspect] ?? 0) >= mentionedMin).map((aspect) => names[aspect]);
  return `${reason}; ${often}.${also.length === 0 ? "" : ` Also unusual: ${also.join(", ")}.`}`;
}

/** The value itself is what people look for first: where it is a reason, it is the main one. */
function weight(aspect: Aspect, evidence: Evidence): number {
  const own = evidence[aspect] ?? 0;
  return aspect === "extreme" && own >= mentionedMin ? Number.POSITIVE_INFINITY : own;
}

function onceIn(evidence: number): string {
  if (evidence >= onceInMax) return "less than once in a million values";
  return evidence < 0.5
    ? "often"
    : `about once in ${Number((10 ** evidence).toPrecision(1)).toLocaleString("en-US")} values`;
}

interface Judged {
  /** Before and after the value was learned. */
  readonly known: SeriesState;
  readonly learned: SeriesState;
  readonly time: number;
  readonly value: number;
}

const names: Readonly<Record<Aspect, string>> = {
  extreme: "the value itself",
  shortSpread: `the spread of the last ${shortRows} values`,
  longSpread: `the spread of the last ${longRows} values`,
  course: `the course of the last ${courseRows} values`,
  timeOfDay: "the level at this time of day",
};

const reasons: Readonly<Record<Aspect, (judged: Judged) => string>> = {
  extreme: ({ known, value }) => {
    const [min, max] = [known.get("min"), known.get("max")];
    const range = `of the ${known.get("rows")} values so far (${numberText(min)} to ${numberText(max)})`;
    if (value > max) return `${numberText(value)} is above all ${range}`;
    return value < min
      ? `${numberText(value)} is below all ${range}`
      : `${numberText(value)} is within the range ${range}`;
  },
  shortSpread: (judged) => spreadReason(judged, shortRows),
  longSpread: (judged) => spreadReason(judged, longRows),
  course: () => `The course of the last ${courseRows} values, as means of six, resembles none before`,
  timeOfDay: ({ known, learned, time, value }) => {
    const level = numberText(learned.get("level"));
    const days = known.days.ranges(time);
    const place =
      days === null
        ? ""
        : ` (${numberText(uncompared(known, days.low))} to ${numberText(uncompared(known, days.high))})`;
    const number = compared(known, learned.get("level"));
    const lies =
      days === null || (number >= days.low && number <= days.high) ? "unlike" : number > days.high ? "above" : "below";
    return `With ${numberText(value)} the smoothed level is ${level}, ${lies} what this time of day had on the days before${place}`;
  },
};

function spreadReason({ known, learned }: Judged, rows: number): string {
  const spread = spreadOf(learned, learned.get("rows"), rows);
  const { low, high } = (rows === shortRows ? known.shortSpreads : known.longSpreads).range();
  const scale = known.get("scale");
  const text = (logarithm: number) => numberText(deviationOf(logarithm, scale));
  const more = spread > high ? "more than any" : spread < low ? "less than any" : "unlike any";
  return `The last ${rows} values vary ${more} ${rows} before: by ${text(spread)} (standard deviation), so far ${text(low)} to ${text(high)}`;
}
