import type { Detector, RateDetectorOptions } from "../../../model/detector.ts";

/** Finds nothing yet. */
export function rateDetector(_options: RateDetectorOptions): Detector<unknown> {
  return {
    kind: "rate",
    judge: (_point, state) => ({ verdict: { score: 0, anomalous: false, why: "Nothing is judged yet." }, state }),
  };
}
