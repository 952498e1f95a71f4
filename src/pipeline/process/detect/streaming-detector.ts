import type { Detector, DetectorOptions } from "../../../model/detector.ts";

type StreamingOptions = Omit<Extract<DetectorOptions, { readonly kind: "streaming" }>, "kind">;

/** Finds nothing yet. */
export function streamingDetector(_options: StreamingOptions): Detector {
  return {
    kind: "streaming",
    judge: (_point, state) => ({
      verdict: { score: 0, anomalous: false, inconclusive: true, why: "Nothing is judged yet." },
      state,
    }),
  };
}
