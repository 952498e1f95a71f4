/** Means and covariances of a few fields, learned point by point. */
export interface Covariance {
  /** Points so far. */
  readonly count: number;
  readonly means: readonly number[];
  /** Row by row, as a square. */
  readonly products: readonly number[];
}

/** A point beside what was learned. */
export interface Distance {
  /** Mahalanobis distance: standard deviations from the means, with regard to how the fields go together. */
  readonly distance: number;
  readonly fields: readonly FieldDistance[];
}

export interface FieldDistance {
  /** What the others of the point let one expect of this field, and by how much it usually differs from that. */
  readonly expected: number;
  readonly spread: number;
  /** By how many spreads it differs. */
  readonly deviation: number;
  /** Standard deviations from its mean, whatever the others are. */
  readonly alone: number;
}

/** Spread assumed of a constant field, as a share of its mean: 1 % is noise, 10 % is news. As in `mad`. */
const constantShare = 0.01;
/** Below this share of the mean a spread is the noise of floating point. */
const floatNoiseShare = 1e-9;
/** Added to each variance: fields that follow from each other (euros and cents) need not do so to the last digit. */
const ridge = 1e-4;

export function newCovariance(size: number): Covariance {
  return { count: 0, means: new Array<number>(size).fill(0), products: new Array<number>(size * size).fill(0) };
}

/** Learns a point: as one of all until there are `memory`, then as one of about the last so many. */
export function learnPoint(known: Covariance, point: readonly number[], memory: number): Covariance {
  const { means, products } = known;
  const size = means.length;
  const count = known.count + 1;
  const weight = 1 / Math.min(count, memory);
  const differences = point.map((value, index) => value - (means[index] ?? 0));
  return {
    count,
    means: means.map((mean, index) => mean + weight * (differences[index] ?? 0)),
    products: products.map((product, place) => {
      const [row, column] = [Math.floor(place / size), place % size];
      const outer = (differences[row] ?? 0) * (differences[column] ?? 0);
      return (1 - weight) * (product + weight * outer);
    }),
  };
}

export function distanceOf({ means, products }: Covariance, point: readonly number[]): Distance {
  const size = means.length;
  const spreads = means.map((mean, index) => spreadOf(Math.sqrt(products[index * size + index] ?? 0), mean));
  const alone = point.map((value, index) => (value - (means[index] ?? 0)) / (spreads[index] ?? 1));
  const correlations = products.map((product, place) => {
    const [row, column] = [Math.floor(place / size), place % size];
    const correlation = product / ((spreads[row] ?? 1) * (spreads[column] ?? 1));
    return row === column ? 1 + ridge : correlation;
  });
  const precision = inverse(correlations, size);
  const pulls = alone.map((_, row) =>
    alone.reduce((sum, value, column) => sum + (precision[row * size + column] ?? 0) * value, 0),
  );
  const squared = pulls.reduce((sum, pull, index) => sum + pull * (alone[index] ?? 0), 0);
  const fields = pulls.map((pull, index) => {
    const own = precision[index * size + index] ?? 1;
    const spread = (spreads[index] ?? 1) / Math.sqrt(own);
    const deviation = pull / Math.sqrt(own);
    return { expected: (point[index] ?? 0) - deviation * spread, spread, deviation, alone: alone[index] ?? 0 };
  });
  return { distance: Math.sqrt(Math.max(0, squared)), fields };
}

function spreadOf(deviation: number, mean: number): number {
  if (deviation > Math.abs(mean) * floatNoiseShare) return deviation;
  // A field that was only ever 0 takes any other value as unusual.
  return Math.abs(mean) * constantShare || Number.EPSILON;
}

/** Of a symmetric positive definite matrix, by Gauss and Jordan. The ridge keeps the pivots away from 0. */
function inverse(matrix: readonly number[], size: number): readonly number[] {
  const left = [...matrix];
  const right = matrix.map((_, place) => (Math.floor(place / size) === place % size ? 1 : 0));
  for (let pivot = 0; pivot < size; pivot++) {
    const scale = 1 / Math.max(left[pivot * size + pivot] ?? 1, ridge);
    for (const rows of [left, right]) {
      for (let column = 0; column < size; column++)
        rows[pivot * size + column] = (rows[pivot * size + column] ?? 0) * scale;
    }
    for (let row = 0; row < size; row++) {
      const factor = left[row * size + pivot] ?? 0;
      if (row === pivot || factor === 0) continue;
      for (const rows of [left, right]) {
        for (let column = 0; column < size; column++) {
          rows[row * size + column] = (rows[row * size + column] ?? 0) - factor * (rows[pivot * size + column] ?? 0);
        }
      }
    }
  }
  return right;
}
