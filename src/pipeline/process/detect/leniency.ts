/** More would switch a rule off without saying so: who wants that takes it out of the config. */
const countedMax = 20;
const widerEach = 0.25;

/**
 * How much wider a threshold is after so many false positives of a rule and key: a quarter of it for each, up to six times. So one
 * call covers finds up to a quarter past the threshold, and it takes more for what is farther out.
 */
export function leniency(falsePositives: number): number {
  return 1 + widerEach * Math.min(Math.max(0, falsePositives), countedMax);
}
