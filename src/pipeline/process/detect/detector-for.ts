import type { Detector, DetectorOptions } from "../../../model/detector.ts";
import { driftDetector } from "./drift-detector.ts";
import { madDetector } from "./mad-detector.ts";
import { multivariateDetector } from "./multivariate-detector.ts";
import { noveltyDetector } from "./novelty-detector.ts";
import { ownDetector } from "./own-detector.ts";
import { rangeDetector } from "./range-detector.ts";
import { rateDetector } from "./rate-detector.ts";
import { streamingDetector } from "./streaming-detector.ts";

type Kind = DetectorOptions["kind"];
type OptionsOf<K extends Kind> = Extract<DetectorOptions, { readonly kind: K }>;

/** Every kind of detector. A new one is a file beside this one, its options in `DetectorOptions`, and a line here. */
const factories: { readonly [K in Kind]: (options: OptionsOf<K>) => Detector<never> } = {
  range: rangeDetector,
  mad: madDetector,
  streaming: streamingDetector,
  rate: rateDetector,
  novelty: noveltyDetector,
  drift: driftDetector,
  multivariate: multivariateDetector,
  own: ({ detector }) => ownDetector(detector),
};

/** The detector for a rule's options. What it judges is what `ruleValue` selects for a rule of its kind. */
export function detectorFor(options: DetectorOptions): Detector<unknown> {
  // The compiler cannot see that a detector gets the value of its own kind; this cast is that fact.
  return create(options.kind, options) as Detector<unknown>;
}

/** The same for options and the factory of their kind. */
function create<K extends Kind>(kind: K, options: DetectorOptions): Detector<never> {
  return factories[kind](options as OptionsOf<K>);
}
