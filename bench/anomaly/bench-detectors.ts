import type { Detector, DetectorOptions } from "../../src/model/detector.ts";
import { seededRandom } from "../../src/pipeline/ingest/simulate-random.ts";
import { detectorFor } from "../../src/pipeline/process/detect/detector-for.ts";
import { windowedGaussian } from "./windowed-gaussian.ts";

export interface BenchDetector {
  readonly name: string;
  readonly create: () => Detector;
  /** From which score on it says that a row is anomalous; null for a baseline, which says nothing of the kind. */
  readonly threshold: number | null;
}

/** As the config fills them in when nobody says otherwise. */
const productOptions: readonly DetectorOptions[] = [
  { kind: "mad", window: 100, threshold: 6, warmup: 20 },
  { kind: "streaming", falseAlarmsPerWeek: 1 },
];

/** The product's detectors behind those that anything must beat. */
export const benchDetectors: readonly BenchDetector[] = [
  { name: "constant", create: constantScore, threshold: null },
  { name: "random", create: randomScore, threshold: null },
  { name: "windowed Gaussian", create: () => windowedGaussian() as Detector, threshold: null },
  ...productOptions.map((options) => ({ name: options.kind, create: () => detectorFor(options), threshold: 0.5 })),
];

/** The streaming detector with the false alarms a week that its name says. */
export const streamingSensitivities: readonly BenchDetector[] = [0.1, 0.3, 1, 3, 10].map((falseAlarmsPerWeek) => ({
  name: String(falseAlarmsPerWeek),
  create: () => detectorFor({ kind: "streaming", falseAlarmsPerWeek }),
  threshold: 0.5,
}));

function constantScore(): Detector {
  return { kind: "constant", judge: () => ({ verdict: { score: 0.5, anomalous: true, why: "" }, state: null }) };
}

/** Another number for each row, the same in each run. */
function randomScore(): Detector {
  return {
    kind: "random",
    judge({ time }, state) {
      const row = typeof state === "number" ? state : 0;
      const score = seededRandom(row, time).next();
      return { verdict: { score, anomalous: score >= 0.5, why: "" }, state: row + 1 };
    },
  };
}
