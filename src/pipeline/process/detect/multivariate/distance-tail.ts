import { upperNormalQuantile } from "../normal-quantile.ts";

/** How far out points lie: of what is beyond `tailProbability` of normal points, how much there is and how far it reaches. */
export interface DistanceTail {
  /** Share of points beyond the start of the tail. */
  readonly share: number;
  /** How far beyond they lie on average, and the mean of its square. */
  readonly excess: number;
  readonly excessSquare: number;
  /** Points in the tail so far. */
  readonly count: number;
}

const tailProbability = 0.02;
const memory = 5_000;
const excessMemory = 1_000;
/** Of normal points: what to begin with. */
const excessStart = 0.3;
/** Weight of that beginning, in points of the tail. */
const startCount = 10;

/** Heavier tails have no variance to be learned. */
const shapeMax = 0.45;

export const newTail: DistanceTail = {
  share: tailProbability,
  excess: excessStart,
  // Of an exponential distribution.
  excessSquare: 2 * excessStart ** 2,
  count: 0,
};

/** The distance that a normal point of so many fields exceeds with this probability: root of chi-squared, by Wilson and Hilferty (1931). */
function normalDistance(size: number, probability: number): number {
  const spread = 2 / (9 * size);
  return Math.sqrt(size * Math.max(0, 1 - spread + upperNormalQuantile(probability) * Math.sqrt(spread)) ** 3);
}

/**
 * The distance that a point exceeds with this probability. What lies beyond a high threshold follows a generalised Pareto
 * distribution (peaks over threshold: Pickands 1975; Siffer et al. 2017, "Anomaly Detection in Streams with Extreme Value
 * Theory"), here fitted by its moments (Hosking and Wallis 1987), so the few points of the tail say where far rarer ones
 * lie. Never less than for normal points.
 */
export function tailDistance({ share, excess, excessSquare }: DistanceTail, size: number, probability: number): number {
  const start = normalDistance(size, tailProbability);
  const normal = normalDistance(size, probability);
  if (share <= probability) return Math.max(start, normal);
  const ratio = excess ** 2 / Math.max(excessSquare - excess ** 2, Number.MIN_VALUE);
  const shape = Math.min(Math.max(0, (1 - ratio) / 2), shapeMax);
  const scale = excess * (1 - shape);
  const times = share / probability;
  const beyond = shape < 1e-3 ? scale * Math.log(times) : (scale / shape) * (times ** shape - 1);
  return Math.max(start + beyond, normal);
}

/** Learns a distance; one beyond `clip` as if it were there, so that outliers do not make room for themselves. */
export function learnDistance(
  tail: DistanceTail,
  size: number,
  points: number,
  distance: number,
  clip: number,
): DistanceTail {
  const start = normalDistance(size, tailProbability);
  const isIn = distance > start;
  const weight = 1 / Math.min(points + 1 / tailProbability, memory);
  const share = tail.share + weight * ((isIn ? 1 : 0) - tail.share);
  if (!isIn) return { ...tail, share };
  const count = tail.count + 1;
  const beyond = Math.max(0, Math.min(distance, clip) - start);
  const excessWeight = 1 / Math.min(count + startCount, excessMemory);
  return {
    share,
    excess: tail.excess + (beyond - tail.excess) * excessWeight,
    excessSquare: tail.excessSquare + (beyond ** 2 - tail.excessSquare) * excessWeight,
    count,
  };
}
