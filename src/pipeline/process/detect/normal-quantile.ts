/**
 * How many standard deviations above the mean a standard normal value lies with this probability: 1.64 for 0.05. For
 * probabilities above 0 up to 0.5; relative error below 1.2e-9 (P. Acklam, "An algorithm for computing the inverse normal
 * cumulative distribution function").
 */
export function upperNormalQuantile(probability: number): number {
  const p = Math.min(Math.max(probability, Number.MIN_VALUE), 0.5);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return -polynomial(tailNumerator, q) / (polynomial(tailDenominator, q) * q + 1);
  }
  const q = 0.5 - p;
  const r = q * q;
  return (polynomial(centreNumerator, r) * q) / (polynomial(centreDenominator, r) * r + 1);
}

const tailNumerator = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const tailDenominator = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416];
const centreNumerator = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
];
const centreDenominator = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1,
];

/** Highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
