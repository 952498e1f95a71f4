import type { Verdict } from "../../../model/detector.ts";

/** What a detector says of NaN and infinities: nothing was judged and nothing learned. */
export function notANumber(expectedLow: number | null, expectedHigh: number | null): Verdict {
  return {
    score: 0,
    anomalous: false,
    inconclusive: true,
    expectedLow,
    expectedHigh,
    why: "The value is not a finite number; it was not judged.",
  };
}
