/** Numbers in a shape: as many means of neighbouring values. */
export const shapeSize = 16;
/** Measured on 24 labelled and 42 made series: 120, 240, 400 and 2,000 shapes gave the same finds to a point or two. */
const shapesMax = 240;
const radiusStart = 0.12;
const radiusGrowth = 1.2;
/** How full it is once similar shapes were made one. */
const fullAfterThinning = 0.9;
/** Numbers are kept in steps of 1/12.8: -9.9 to 9.9, which as asinh of deviations is ten thousand of them. */
const stepsPerUnit = 12.8;
const stepMax = 127;

/**
 * Courses that a series has taken, as vectors of 16 numbers: a leader clustering whose radius grows when memory is full (the
 * threshold of BIRCH, Zhang, Ramakrishnan and Livny 1996; the vigilance of adaptive resonance, Carpenter and Grossberg 1987).
 * The distance of a new course from the nearest known one finds what repeats at no clock's hour (Breunig et al. 2000 and the
 * discords of Keogh, Lin and Fu 2005 in bounded memory). 4.8 KB.
 */
export class ShapeMemory {
  static readonly bytes = 2 * 8 + shapesMax * 4 + shapesMax * shapeSize;
  /** Number of shapes, and the distance from which another is one of its own. */
  readonly #head: Float64Array;
  /** Row at which each was added, ascending. */
  readonly #rows: Uint32Array;
  readonly #shapes: Int8Array;

  constructor(buffer: ArrayBuffer, offset: number) {
    this.#head = new Float64Array(buffer, offset, 2);
    this.#rows = new Uint32Array(buffer, offset + 2 * 8, shapesMax);
    this.#shapes = new Int8Array(buffer, offset + 2 * 8 + shapesMax * 4, shapesMax * shapeSize);
  }

  get #count(): number {
    return this.#head[0] ?? 0;
  }

  get #radius(): number {
    return Math.max(this.#head[1] ?? 0, radiusStart);
  }

  /** Of the sum of squares, in steps. */
  get #squareRadius(): number {
    return (this.#radius * stepsPerUnit) ** 2 * shapeSize;
  }

  /**
   * Root mean square distance from the nearest shape that was known at `knownRow` (null: there is none); then learns this one
   * when it is new among all.
   */
  visit(shape: Float64Array, row: number, knownRow: number): number | null {
    const steps = shape.map((value) => value * stepsPerUnit);
    let known = Number.POSITIVE_INFINITY;
    let any = Number.POSITIVE_INFINITY;
    const count = this.#count;
    for (let index = 0; index < count; index++) {
      const square = this.#squareDistance(index, steps, Math.max(known, any));
      if (square < any) any = square;
      if (square < known && (this.#rows[index] ?? 0) <= knownRow) known = square;
    }
    if (any > this.#squareRadius) this.#add(steps, row);
    return known === Number.POSITIVE_INFINITY ? null : Math.sqrt(known / shapeSize) / stepsPerUnit;
  }

  /** Rewrites all shapes, for another scale. */
  convert(change: (value: number) => number): void {
    const shapes = this.#shapes;
    for (let index = 0; index < this.#count * shapeSize; index++) {
      shapes[index] = wholeStep(change((shapes[index] ?? 0) / stepsPerUnit) * stepsPerUnit);
    }
  }

  /** In square steps. Stops adding up beyond `limit`: most shapes are far away. */
  #squareDistance(index: number, steps: ArrayLike<number>, limit: number): number {
    const shapes = this.#shapes;
    const start = index * shapeSize;
    let sum = 0;
    for (let place = 0; place < shapeSize && sum < limit; place++) {
      const difference = (steps[place] ?? 0) - (shapes[start + place] ?? 0);
      sum += difference * difference;
    }
    return sum;
  }

  #add(steps: Float64Array, row: number): void {
    while (this.#count === shapesMax) this.#thin();
    const index = this.#count;
    for (let place = 0; place < shapeSize; place++)
      this.#shapes[index * shapeSize + place] = wholeStep(steps[place] ?? 0);
    this.#rows[index] = row;
    this.#head[0] = index + 1;
  }

  /** Makes one of shapes that are now near each other: the oldest stays. */
  #thin(): void {
    const all = this.#count;
    let kept = all;
    while (kept > all * fullAfterThinning) {
      this.#head[1] = this.#radius * radiusGrowth;
      const limit = this.#squareRadius;
      const before = kept;
      kept = 0;
      for (let index = 0; index < before; index++) {
        const start = index * shapeSize;
        const steps = this.#shapes.subarray(start, start + shapeSize);
        let near = false;
        for (let other = 0; other < kept && !near; other++) near = this.#squareDistance(other, steps, limit) < limit;
        if (near) continue;
        this.#shapes.copyWithin(kept * shapeSize, start, start + shapeSize);
        this.#rows[kept] = this.#rows[index] ?? 0;
        kept++;
      }
    }
    this.#head[0] = kept;
  }
}

function wholeStep(steps: number): number {
  return Math.max(-stepMax, Math.min(stepMax, Math.round(steps)));
}
