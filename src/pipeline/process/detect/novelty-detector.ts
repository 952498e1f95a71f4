import type { Detector, NoveltyDetectorOptions } from "../../../model/detector.ts";

/** Finds nothing yet. */
export function noveltyDetector(_options: NoveltyDetectorOptions): Detector<unknown> {
  return {
    kind: "novelty",
    judge: (_point, state) => ({ verdict: { score: 0, anomalous: false, why: "Nothing is judged yet." }, state }),
  };
}
