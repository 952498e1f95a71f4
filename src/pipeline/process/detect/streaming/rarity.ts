/** Distances are counted by their logarithm, from 0.018 up in steps of 15 %, to 50,000; what lies beyond counts as the last. */
const logMin = -4;
const logStep = 0.15;
const binCount = 100;
/** Distances before one is called rare. */
const learnedMin = 50;
/** So many distances at least as large are enough to count them; below, the tail is extended. */
const countedMin = 3;
/** Share of the distances that the tail is fitted to, at least `countedMin`. */
const tailShare = 0.02;
/** A tail of equal distances says nothing about what lies beyond: then each doubling is worth at most three decades. */
const tailSlopeMin = 0.1;
/** A count is halved with all others before it overflows: what is recent counts more from then on. */
const countMax = 65_535;

/**
 * How rare a distance is among those of a series before it: a histogram of logarithms, extended beyond the largest ones as a
 * Pareto tail with Hill's estimate of its index (Hill 1975, "A simple general approach to inference about the tail of a
 * distribution"). 200 bytes, whatever was counted.
 */
export class Rarity {
  static readonly bytes = binCount * Uint16Array.BYTES_PER_ELEMENT;
  readonly #counts: Uint16Array;

  constructor(buffer: ArrayBuffer, offset: number) {
    this.#counts = new Uint16Array(buffer, offset, binCount);
  }

  /** -log10 of the share of distances that are at least as large: 3 is once in a thousand. 0 while there are too few to say. */
  of(distance: number): number {
    const counts = this.#counts;
    const place = placeOf(distance);
    const bin = Math.floor(place);
    // Within a bin distances are taken as spread evenly, so that where its borders lie decides nothing.
    let above = (bin + 1 - place) * (counts[bin] ?? 0);
    for (let index = bin + 1; index < binCount; index++) above += counts[index] ?? 0;
    let all = 0;
    for (let index = 0; index < binCount; index++) all += counts[index] ?? 0;
    if (all < learnedMin) return 0;
    return above >= countedMin ? -Math.log10(above / (all + 1)) : this.#beyond(distance, all);
  }

  learn(distance: number): void {
    const counts = this.#counts;
    const bin = Math.floor(placeOf(distance));
    if (counts[bin] === countMax)
      for (let index = 0; index < binCount; index++) counts[index] = (counts[index] ?? 0) >>> 1;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }

  #beyond(distance: number, all: number): number {
    const wanted = Math.max(countedMin, tailShare * all);
    let start = binCount;
    let inTail = 0;
    let excess = 0;
    // Each further bin lifts the distances above it by one step, and adds its own half step.
    while (start > 0 && inTail < wanted) {
      start--;
      const count = this.#counts[start] ?? 0;
      excess += logStep * (inTail + 0.5 * count);
      inTail += count;
    }
    const slope = Math.max(excess / inTail, tailSlopeMin);
    const beyond = Math.max(0, Math.log(distance) - (logMin + start * logStep));
    return -Math.log10(inTail / (all + 1)) + beyond / slope / Math.LN10;
  }
}

/** In bins, from 0 to just below `binCount`. */
function placeOf(distance: number): number {
  const place = (Math.log(distance) - logMin) / logStep;
  return Math.max(0, Math.min(binCount - 1e-9, place));
}
