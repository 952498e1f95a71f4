import type { Detector, DetectorOptions } from "../../../model/definition.ts";
import { madDetector } from "./mad-detector.ts";
import { rangeDetector } from "./range-detector.ts";

type Kind = DetectorOptions["kind"];
type OptionsOf<K extends Kind> = Extract<DetectorOptions, { readonly kind: K }>;

/** Every kind of detector. A new one is a file beside this one, its options in `DetectorOptions`, and a line here. */
const factories: { readonly [K in Kind]: (options: OptionsOf<K>) => Detector } = {
  range: rangeDetector,
  mad: madDetector,
};

/**
 * The detector for a rule's options. Pure: the same state and point give the same verdict and next state, so a redelivered
 * object is judged as it was before. States are plain JSON of bounded size.
 */
export function detectorFor(options: DetectorOptions): Detector {
  return create(options.kind, options);
}

/** The compiler cannot see that an options object and the factory of its own kind belong together; this cast is that fact. */
function create<K extends Kind>(kind: K, options: DetectorOptions): Detector {
  return factories[kind](options as OptionsOf<K>);
}
