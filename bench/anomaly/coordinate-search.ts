/** One number of a point, the values that were tried in its place, and what each was worth. */
export interface Step<Point> {
  readonly name: keyof Point & string;
  readonly tried: readonly { readonly value: number; readonly worth: number }[];
  readonly chosen: number;
}

export interface SearchResult<Point> {
  readonly chosen: Point;
  readonly steps: readonly Step<Point>[];
}

/**
 * Takes one number of `start` after the other, in the order of `candidates`, and keeps the value that is worth most; again and again,
 * until a whole round changes nothing or `roundsMax` is over. The value that stands is tried too, and stays unless another is
 * worth more. `worth` must answer the same for the same point. No chance: the same arguments give the same result.
 */
export function coordinateSearch<Point extends { readonly [Name in keyof Point]: number }>(
  start: Point,
  candidates: { readonly [Name in keyof Point]: readonly number[] },
  worth: (point: Point) => number,
  roundsMax: number,
): SearchResult<Point> {
  const steps: Step<Point>[] = [];
  let standing = start;
  let standingWorth = worth(start);
  for (let round = 0; round < roundsMax; round++) {
    const before = standing;
    for (const name of Object.keys(candidates) as (keyof Point & string)[]) {
      const from = standing;
      const tried = [{ value: from[name] as number, worth: standingWorth }];
      for (const value of candidates[name]) {
        if (value === from[name]) continue;
        const point = { ...from, [name]: value };
        const pointWorth = worth(point);
        tried.push({ value, worth: pointWorth });
        if (pointWorth <= standingWorth) continue;
        standing = point;
        standingWorth = pointWorth;
      }
      tried.sort((one, other) => one.value - other.value);
      steps.push({ name, tried, chosen: standing[name] });
    }
    if (standing === before) break;
  }
  return { chosen: standing, steps };
}
