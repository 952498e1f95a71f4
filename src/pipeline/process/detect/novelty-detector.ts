import { hash } from "node:crypto";
import type { Detector, Judgement, NoveltyDetectorOptions, Verdict } from "../../../model/detector.ts";
import { mask } from "../../failures/mask.ts";
import { deviationLimit, scoreOf, weekMillis } from "./alarm-probability.ts";
import { countDeviation } from "./count-band.ts";
import { leniency } from "./leniency.ts";
import { addNewcomer, type Newcomers, newcomerScore, newcomersAt } from "./newcomers.ts";
import { numberText } from "./number-text.ts";

/** At most about 12 KB as JSON: 128 categories of 64 characters. */
interface NoveltyState {
  /** Values counted. */
  readonly seen: number;
  readonly categories: readonly Category[];
  /** Places in `categories` of the last values, oldest first; -1: of one that is not counted any more. */
  readonly recent: readonly number[];
  /** Some categories were dropped: one that is not counted may have been there, rarely. */
  readonly full: boolean;
  readonly newcomers: Newcomers;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** Name, how often it was counted, and how often it was at most in a hundred values that followed each other. */
type Category = readonly [name: string, count: number, most: number];

const categoriesMax = 128;
const nameCharactersMax = 64;
/** Values among which a rare category may become common. */
const recentMax = 100;
/** A larger share of all values is not rare. */
const rareShare = 0.05;
/** And common is so many times as often as it ever was in a hundred values. */
const moreThanMost = 1.5;
/** That is forgotten by and by: a tenth of it in five hundred values. */
const mostKept = 0.98;
/** With fewer before, nobody knows how rare it is. */
const earlierMin = 5;
/** Counts are halved then: what was common a long time ago is not common for ever. */
const seenMax = 200_000;

/**
 * A category that was never there before, or a rare one that is common all at once. Counts the 128 most common categories
 * (space-saving: Metwally, Agrawal and El Abbadi 2005, "Efficient Computation of Frequent and Top-k Elements in Data Streams").
 *
 * - New: it is not counted, and new ones do not come all the time (`newcomers.ts`); those of the second half of the warm-up
 *   count as well. So a column of order numbers raises no alarm, and one of countries does.
 * - Common all at once: of the last 100 values far more are of a rare category than its share lets one expect (deviance of a
 *   Poisson count), and half as many again as in any hundred before, so categories that come in batches are left alone.
 *
 * Where values are personal, they are kept as a hash and shown as "•••".
 */
export function noveltyDetector(options: NoveltyDetectorOptions): Detector<string, NoveltyState> {
  const { warmup, hidden, falseAlarmsPerWeek } = options;
  return {
    kind: "novelty",
    judge({ time, value, falsePositives }, stored) {
      const known = stored ?? newState(time);
      const name = nameOf(value, hidden);
      const place = known.categories.findIndex(([one]) => one === name);
      const text = hidden ? mask : shortened(value);
      const state = count(known, name, place, time, known.seen >= warmup / 2);
      if (known.seen < warmup) {
        const why = `Learning: ${numberText(known.seen)} of the ${warmup} values needed before this rule judges.`;
        return { verdict: { ...ordinary, inconclusive: true, why }, state };
      }
      if (place >= 0) return judgeShare(known, state, place, text, { falseAlarmsPerWeek, falsePositives });
      const score = newcomerScore(known.newcomers, time, falseAlarmsPerWeek, falsePositives);
      return { verdict: newVerdict(known, text, score, time), state };
    },
  };
}

const ordinary = { score: 0, anomalous: false };
const usual: Verdict = { ...ordinary, why: "It was there before, about as often." };

function newState(time: number): NoveltyState {
  const newcomers = { count: 0, at: time };
  return { seen: 0, categories: [], recent: [], full: false, newcomers, firstAt: time, lastAt: time };
}

function nameOf(value: string, hidden: boolean): string {
  if (hidden) return hash("sha256", value).slice(0, 16);
  return value.length <= nameCharactersMax ? value : `${value.slice(0, 40)}~${hash("sha256", value).slice(0, 16)}`;
}

function shortened(value: string): string {
  return value.length <= nameCharactersMax ? value : `${value.slice(0, nameCharactersMax - 1)}…`;
}

/** `place`: of its category; -1: it is not counted yet. */
function count(known: NoveltyState, name: string, place: number, time: number, countsNewcomers: boolean): NoveltyState {
  const { seen, categories, recent } = known;
  const isNew = place < 0;
  const full = known.full || (isNew && categories.length === categoriesMax);
  const at = isNew ? (full ? rarest(categories) : categories.length) : place;
  // The one that goes leaves its count to the new one, which is counted too often then, but never too rarely.
  const [, before = 0, most = 0] = categories[at] ?? [];
  const kept = isNew && full ? recent.map((one) => (one === at ? -1 : one)) : recent;
  const latest = [...kept.slice(-(recentMax - 1)), at];
  const counted = categories.toSpliced(at, 1, [name, before + 1, isNew ? 0 : most]);
  const next = {
    seen: seen + 1,
    categories: (seen + 1) % recentMax === 0 ? withMost(counted, latest) : counted,
    recent: latest,
    full,
    newcomers: isNew && countsNewcomers ? addNewcomer(known.newcomers, time) : known.newcomers,
    firstAt: Math.min(known.firstAt, time),
    lastAt: Math.max(known.lastAt, time),
  };
  return next.seen < seenMax ? next : halved(next);
}

/** A hundred values are complete: how often was each category among them? */
function withMost(categories: readonly Category[], recent: readonly number[]): readonly Category[] {
  return categories.map(([name, times, most], place) => [
    name,
    times,
    Math.max(rounded(most * mostKept), among(recent, place)),
  ]);
}

/** Two digits: the rest would only lengthen the state. */
function rounded(most: number): number {
  return Math.round(most * 100) / 100;
}

function halved(state: NoveltyState): NoveltyState {
  const categories = state.categories.map(([name, times, most]): Category => [name, times / 2, most]);
  return { ...state, seen: state.seen / 2, categories, firstAt: (state.firstAt + state.lastAt) / 2 };
}

function rarest(categories: readonly Category[]): number {
  return categories.reduce((best, [, times], place) => (times < (categories[best]?.[1] ?? 0) ? place : best), 0);
}

function among(recent: readonly number[], place: number): number {
  return recent.reduce((sum, one) => (one === place ? sum + 1 : sum), 0);
}

function newVerdict({ full, seen, newcomers }: NoveltyState, text: string, score: number, time: number): Verdict {
  const known = full ? `is not among the ${categoriesMax} most common of` : "was never seen in";
  const others = `about ${numberText(newcomersAt(newcomers, time))} new ones came in the last week`;
  const why = `${JSON.stringify(text)} ${known} ${numberText(seen)} values; ${others}.`;
  return { score, anomalous: score >= 0.5, why, about: { value: text } };
}

function judgeShare(
  known: NoveltyState,
  state: NoveltyState,
  place: number,
  text: string,
  { falseAlarmsPerWeek, falsePositives }: { readonly falseAlarmsPerWeek: number; readonly falsePositives: number },
): Judgement<NoveltyState> {
  const [, times = 0, most = 0] = known.categories[place] ?? [];
  const now = among(state.recent, place);
  const before = times - among(known.recent, place);
  // Half a value more than were counted: none in a hundred does not mean never.
  const share = (before + 0.5) / Math.max(1, known.seen - known.recent.length);
  const expected = share * state.recent.length;
  if (before < earlierMin || share > rareShare || now <= expected || now <= moreThanMost * most) {
    return { verdict: usual, state };
  }
  const valuesPerWeek = (known.seen * weekMillis) / Math.max(1, known.lastAt - known.firstAt);
  const limit = deviationLimit(falseAlarmsPerWeek, valuesPerWeek) * leniency(falsePositives);
  const deviation = countDeviation(now, expected, 1);
  const score = scoreOf(deviation, limit);
  if (deviation <= limit) return { verdict: usual, state };
  const why = `${JSON.stringify(text)} is ${now} of the last ${state.recent.length} values; expected about ${numberText(expected)}.`;
  // Told once: it may be all of the next values without being told again.
  const categories = state.categories.map((one, at): Category => (at === place ? [one[0], one[1], recentMax] : one));
  return { verdict: { score, anomalous: true, why, about: { value: text } }, state: { ...state, categories } };
}
