import { type Random, seededRandom } from "../../../src/pipeline/ingest/simulate-random.ts";

/** Seeded draws from the distributions that measurements of real systems come from. */
export interface Draw extends Random {
  between(low: number, high: number): number;
  /** Mean 0, standard deviation 1. */
  normal(): number;
  /** Median 1; `sigma` 0.2 is a mild tail, 1 a heavy one. */
  logNormal(sigma: number): number;
  /** Mean 1. */
  exponential(): number;
  /** Whole numbers; above 50 rounded from the normal distribution. */
  poisson(mean: number): number;
  /** At least 1, without a variance for `alpha` up to 2. */
  pareto(alpha: number): number;
}

export function seededDraw(...seed: readonly number[]): Draw {
  const random = seededRandom(...seed);
  const exponential = () => -Math.log(1 - random.next());
  const normal = () => Math.sqrt(2 * exponential()) * Math.cos(2 * Math.PI * random.next());
  return {
    ...random,
    between: (low, high) => low + (high - low) * random.next(),
    normal,
    logNormal: (sigma) => Math.exp(sigma * normal()),
    exponential,
    poisson(mean) {
      if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
      let count = 0;
      for (let waited = exponential(); waited < mean; waited += exponential()) count++;
      return count;
    },
    pareto: (alpha) => (1 - random.next()) ** (-1 / alpha),
  };
}
