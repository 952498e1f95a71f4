import type { Detector, MultivariateDetectorOptions } from "../../../model/detector.ts";

/** Finds nothing yet. */
export function multivariateDetector(_options: MultivariateDetectorOptions): Detector<unknown> {
  return {
    kind: "multivariate",
    judge: (_point, state) => ({ verdict: { score: 0, anomalous: false, why: "Nothing is judged yet." }, state }),
  };
}
