import type { Detector, DetectorOptions } from "../../../model/detector.ts";
import { notANumber } from "./not-a-number.ts";
import { numberText } from "./number-text.ts";

/**
 * A fixed band, both ends included; a null end is open. Keeps no state. The score of a value outside is 0.5 at the edge and
 * tends to 1 with its distance, measured in widths of the band (in sizes of the edge when one end is open). False positives do
 * not widen it: the band is the user's word.
 */
export function rangeDetector(options: Extract<DetectorOptions, { readonly kind: "range" }>): Detector {
  const { low, high } = options;
  const width = low !== null && high !== null ? high - low : Math.abs(low ?? high ?? 1);
  const unit = width > 0 ? width : 1;
  const band = bandText(low, high);
  return {
    kind: "range",
    judge({ value }, state) {
      if (!Number.isFinite(value)) return { verdict: notANumber(low, high), state };
      const below = low !== null && value < low ? low - value : 0;
      const distance = high !== null && value > high ? value - high : below;
      const anomalous = distance > 0;
      const side = below > 0 ? "below" : "above";
      return {
        verdict: {
          score: anomalous ? 0.5 + (0.5 * distance) / (distance + unit) : 0,
          anomalous,
          expectedLow: low,
          expectedHigh: high,
          why: anomalous
            ? `${numberText(value)} is ${numberText(distance)} ${side} the fixed band ${band}.`
            : `${numberText(value)} is within the fixed band ${band}.`,
        },
        state,
      };
    },
  };
}

function bandText(low: number | null, high: number | null): string {
  if (low !== null && high !== null) return `of ${numberText(low)} to ${numberText(high)}`;
  if (low !== null) return `from ${numberText(low)} up`;
  return high === null ? "without ends" : `up to ${numberText(high)}`;
}
