import type { Detector, Judgement, RateDetectorOptions, SilencePoint, Verdict } from "../../../model/detector.ts";
import { deviationLimit, scoreOf, weekMillis } from "./alarm-probability.ts";
import { type CountBand, countBand, countDeviation } from "./count-band.ts";
import { leniency } from "./leniency.ts";
import { numberText } from "./number-text.ts";
import { durationText } from "./rate/duration-text.ts";
import {
  expectedMeans,
  hourMillis,
  hoursPerWeek,
  learnBuckets,
  learnHour,
  newProfile,
  type RateProfile,
} from "./rate/rate-profile.ts";
import { expectedBetween, type SilenceMeasure, silenceLimit, silentAt } from "./rate/silence.ts";

/** About 2 KB as JSON. */
interface RateState {
  /** A changed length of buckets begins anew. */
  readonly bucketMillis: number;
  /** Number of the older of the two buckets that still count, and the records of both: what comes a bucket late is in time. */
  readonly first: number;
  readonly open: readonly [number, number];
  /** The bucket before `first` had no record: what follows may be the rest of a longer gap. */
  readonly afterGap: boolean;
  readonly profile: RateProfile;
  /** When the first and the latest record arrived. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** The longest silence so far, in records that were missing; half of it after a week. */
  readonly longest: number;
  /** That nothing comes was told. */
  readonly silent: boolean;
}

/** More of a gap than two weeks tells nothing new: every hour of the week was in it twice. */
const gapHoursMax = 2 * hoursPerWeek;
/** A silence may be learned as so many times the limit at once: one that is usual, but was not seen before, is told only a few times. */
const silenceLearnedMax = 4;

/**
 * Too many or too few records in a length of time, and none at all any more. Records are counted by event time in buckets; a
 * bucket is judged once, when a record of the one after the next arrives, so what is a bucket late still counts and what is later
 * is left out. A count is unusual when none of the last buckets, the same hour of the day before and the same hour of the week before
 * explains it (`rate-profile.ts`), by the deviance of a Poisson count with estimated dispersion (`count-band.ts`).
 * What is outside the band is learned as its edge: an outlier hardly moves it, a lasting change is normal after some ten buckets.
 *
 * Too few is told only of a bucket between two others with records: a bucket beside a gap may be cut short because EventPulse
 * itself was down, and a gap is a matter for `overdue`. There the time counts during which EventPulse was up, so its own absence is
 * no silence of others. Silence is told once, until records come again.
 */
export function rateDetector(options: RateDetectorOptions): Detector<unknown, RateState> {
  const { bucketMillis, falseAlarmsPerWeek, warmup } = options;
  const limit = deviationLimit(falseAlarmsPerWeek, weekMillis / bucketMillis);
  const measureOf = ({ profile, longest }: RateState): SilenceMeasure => ({
    ...{ bucketMillis, falseAlarmsPerWeek, profile, longest },
  });
  /** Enough was seen, and for long enough, to know what silence is. */
  const knowsSilence = ({ profile, firstAt, lastAt }: RateState) =>
    profile.buckets >= warmup && lastAt - firstAt >= warmup * bucketMillis;
  return {
    kind: "rate",
    judge({ time, receivedAt = time, falsePositives }, stored) {
      const bucket = Math.floor(time / bucketMillis);
      const known = stored?.bucketMillis === bucketMillis ? stored : newState(bucketMillis, bucket, receivedAt);
      const heard = hear(known, receivedAt, knowsSilence(known) ? measureOf(known) : null);
      const again = known.silent ? { ...ordinary, why: "Records come again." } : null;
      if (bucket < heard.first) return { verdict: again ?? undecided("It came too late to be counted."), state: heard };
      if (bucket <= heard.first + 1) {
        return { verdict: again ?? undecided("Its bucket still counts."), state: counted(heard, bucket) };
      }
      const closing = { limit: limit * leniency(falsePositives), warmup, chance: silenceLimit(measureOf(heard)) };
      const { verdict, state } = closeBefore(heard, bucket, closing);
      return { verdict: again ?? verdict, state: counted(state, bucket) };
    },
    ...(options.silence && {
      dueAt(state: RateState): number | null {
        if (state.silent || !knowsSilence(state)) return null;
        const measure = measureOf(state);
        return silentAt(measure, state.lastAt, silenceLimit(measure));
      },
      overdue({ now, watchedSince, falsePositives }: SilencePoint, state: RateState): Judgement<RateState> {
        const from = Math.max(state.lastAt, watchedSince);
        const measure = measureOf(state);
        const missingMax = silenceLimit(measure) * leniency(falsePositives);
        const dueAt = silentAt(measure, from, missingMax);
        if (dueAt === null || now < dueAt) return { verdict: undecided("The silence is not long enough yet."), state };
        const missing = expectedBetween(measure, from, now);
        return { verdict: silence(state.lastAt, now, missing, missingMax), state: { ...state, silent: true } };
      },
    }),
  };
}

const ordinary = { score: 0, anomalous: false };

function undecided(why: string): Verdict {
  return { ...ordinary, inconclusive: true, why };
}

function newState(bucketMillis: number, bucket: number, receivedAt: number): RateState {
  return {
    ...{ bucketMillis, first: bucket, open: [0, 0], afterGap: true, profile: newProfile(bucket * bucketMillis) },
    ...{ firstAt: receivedAt, lastAt: receivedAt, longest: 0, silent: false },
  };
}

/** Notes an arrival, and how long it was silent before. `measure`: null while too little is known. */
function hear(state: RateState, receivedAt: number, measure: SilenceMeasure | null): RateState {
  const gapMillis = Math.max(0, receivedAt - state.lastAt);
  const longest = state.longest * 0.5 ** (gapMillis / weekMillis);
  const heard = { ...state, lastAt: state.lastAt + gapMillis, longest, silent: false };
  if (measure === null || gapMillis < state.bucketMillis) return heard;
  const missing = expectedBetween(measure, state.lastAt, receivedAt);
  return { ...heard, longest: Math.max(longest, Math.min(missing, silenceLearnedMax * silenceLimit(measure))) };
}

function counted(state: RateState, bucket: number): RateState {
  const [older, newer] = state.open;
  return { ...state, open: bucket === state.first ? [older + 1, newer] : [older, newer + 1] };
}

interface Closing {
  readonly limit: number;
  readonly warmup: number;
  /** A gap in which no more records than this were to be expected may be chance. */
  readonly chance: number;
}

/** Judges the buckets before the one that is before `bucket`, learns from them, and makes room for the new one. */
function closeBefore(state: RateState, bucket: number, closing: Closing): Judgement<RateState> {
  const { first, open } = state;
  const [older, newer] = open;
  const one =
    older === 0
      ? {
          verdict: undecided("It ends a gap."),
          state: { ...state, profile: learnGap(state, first, first + 1, closing) },
        }
      : closeBucket(state, first, older, state.afterGap || newer === 0, closing);
  if (bucket === first + 2) {
    const next = { first: first + 1, open: [newer, 0], afterGap: older === 0 } as const;
    return { verdict: one.verdict, state: { ...one.state, ...next } };
  }
  const two = newer === 0 ? one : closeBucket(one.state, first + 1, newer, true, closing);
  const profile = learnGap(two.state, newer === 0 ? first + 1 : first + 2, bucket - 1, closing);
  const worse = two.verdict.score > one.verdict.score ? two : one;
  return { verdict: worse.verdict, state: { ...two.state, profile, first: bucket - 1, open: [0, 0], afterGap: true } };
}

/** `besideGap`: the bucket before or behind has no record. */
function closeBucket(
  state: RateState,
  bucket: number,
  records: number,
  besideGap: boolean,
  { limit, warmup }: Closing,
): Judgement<RateState> {
  const { profile, bucketMillis } = state;
  const since = bucket * bucketMillis;
  const hour = Math.floor(since / hourMillis);
  const learned = (count: number) => ({ ...state, profile: learnBuckets(profile, hour, count) });
  if (profile.buckets < warmup) {
    const why = `Learning: ${profile.buckets} of the ${warmup} buckets needed before this rule judges.`;
    return { verdict: undecided(why), state: learned(records) };
  }
  const means = expectedMeans(profile, hour);
  const band = countBand(means, profile.dispersion, limit);
  const isUnusual = records > band.high || (records < band.low && !besideGap);
  const deviation = Math.min(...means.map((mean) => countDeviation(records, mean, profile.dispersion)));
  return {
    verdict: bandVerdict(records, since, bucketMillis, band, isUnusual ? scoreOf(deviation, limit) : 0),
    state: learned(Math.min(Math.max(records, band.low), band.high)),
  };
}

function bandVerdict(records: number, since: number, bucketMillis: number, band: CountBand, score: number): Verdict {
  const { low, high } = band;
  const expected = `expected ${numberText(low)} to ${numberText(high)} by the last buckets, the same hour of the day before and of the week before`;
  return {
    score,
    anomalous: score > 0,
    expectedLow: low,
    expectedHigh: high,
    why: `${numberText(records)} records in ${durationText(bucketMillis)}; ${expected}.`,
    about: { field: "", value: records, since },
  };
}

/** The level learns of a gap that may be chance, or belongs to the warm-up; the hours learn of all, for a night comes again. */
function learnGap(state: RateState, from: number, to: number, { chance, warmup }: Closing): RateProfile {
  const { bucketMillis } = state;
  let { profile } = state;
  const known = profile;
  const hourOf = (bucket: number) => Math.floor((bucket * bucketMillis) / hourMillis);
  const start = Math.max(from, to - Math.ceil((gapHoursMax * hourMillis) / bucketMillis));
  let missing = 0;
  for (let bucket = start; bucket < to; ) {
    const hour = hourOf(bucket);
    const next = Math.min(to, Math.max(bucket + 1, Math.ceil(((hour + 1) * hourMillis) / bucketMillis)));
    missing += (next - bucket) * Math.min(...expectedMeans(known, hour));
    const isChance = known.buckets < warmup || missing <= chance;
    profile = isChance ? learnBuckets(profile, hour, 0, next - bucket) : learnHour(profile, hour, 0, next - bucket);
    bucket = next;
  }
  return profile;
}

function silence(lastAt: number, now: number, missing: number, missingMax: number): Verdict {
  const length = durationText(now - lastAt);
  return {
    score: scoreOf(missing, missingMax),
    anomalous: true,
    expectedLow: 1,
    why: `No record for ${length}, since ${new Date(lastAt).toISOString()}, while about ${numberText(Math.round(missing))} were to be expected.`,
    about: { field: "", value: 0, since: lastAt },
  };
}
