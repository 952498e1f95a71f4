import type { BenchDetector } from "./bench-detectors.ts";
import type { LabelledSeries } from "./labelled-series.ts";
export function writeCharts(
  _folder: string,
  _all: readonly LabelledSeries[],
  _detectors: readonly BenchDetector[],
): void {}
