const dayMillis = 86_400_000;
/** Half hours. */
const slotCount = 48;
/** The same day of the week is among them. */
const dayCount = 8;
/** What is closer than half a day is the present, not the past. */
const pastSlotsMin = 24;
/** Ranges among the past that are needed to compare with. */
const rangesMin = 3;
/** Values are kept in steps of 1/3,000, from -10.9 to 10.9. */
const stepsPerUnit = 3000;
const stepMax = 32_767;
/** A range that holds nothing. */
const nothing = -32_768;

/** What the same time of day had on the days before, the half hours beside it included. */
export interface DayRanges {
  /** Of all of them together. */
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/**
 * The range of a smoothed value in each half hour of the last eight days, by UTC. A season that no clock governs is the matter of
 * `ShapeMemory`. 1.7 KB.
 */
export class DayMemory {
  static readonly bytes = slotCount * 4 + 2 * slotCount * dayCount * 2;
  /** The latest day that each half hour was seen on, plus one: 0 is never. */
  readonly #latest: Int32Array;
  /** By half hour and day modulo eight. */
  readonly #lows: Int16Array;
  readonly #highs: Int16Array;

  constructor(buffer: ArrayBuffer, offset: number) {
    this.#latest = new Int32Array(buffer, offset, slotCount);
    this.#lows = new Int16Array(buffer, offset + slotCount * 4, slotCount * dayCount);
    this.#highs = new Int16Array(buffer, offset + slotCount * (4 + dayCount * 2), slotCount * dayCount);
  }

  /** Distance of `value` from the nearest of the ranges; null while there are too few to compare with. */
  distance(time: number, value: number): number | null {
    let nearest = Number.POSITIVE_INFINITY;
    let count = 0;
    this.#eachRange(time, (low, high) => {
      count++;
      nearest = Math.min(nearest, value < low ? low - value : Math.max(0, value - high));
    });
    return count < rangesMin ? null : nearest;
  }

  /** Null while there are too few. */
  ranges(time: number): DayRanges | null {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    let count = 0;
    this.#eachRange(time, (rangeLow, rangeHigh) => {
      count++;
      low = Math.min(low, rangeLow);
      high = Math.max(high, rangeHigh);
    });
    return count < rangesMin ? null : { low, high, count };
  }

  learn(time: number, value: number): void {
    const { day, slot } = placeOf(time);
    const latest = (this.#latest[slot] ?? 0) - 1;
    // Later than eight days tells nothing of the last eight.
    if (latest >= 0 && day <= latest - dayCount) return;
    const start = slot * dayCount;
    if (latest < 0 || day > latest) {
      const missed = latest < 0 ? dayCount : Math.min(dayCount, day - latest);
      for (let back = 0; back < missed; back++) this.#lows[start + modulo(day - back)] = nothing;
      this.#latest[slot] = day + 1;
    }
    const index = start + modulo(day);
    const step = stepOf(value);
    const empty = this.#lows[index] === nothing;
    this.#lows[index] = empty ? step : Math.min(this.#lows[index] ?? 0, step);
    this.#highs[index] = empty ? step : Math.max(this.#highs[index] ?? 0, step);
  }

  /** Rewrites all ranges, for another scale. */
  convert(change: (value: number) => number): void {
    for (let index = 0; index < this.#lows.length; index++) {
      if (this.#lows[index] === nothing) continue;
      this.#lows[index] = stepOf(change((this.#lows[index] ?? 0) / stepsPerUnit));
      this.#highs[index] = stepOf(change((this.#highs[index] ?? 0) / stepsPerUnit));
    }
  }

  #eachRange(time: number, use: (low: number, high: number) => void): void {
    const { day, slot } = placeOf(time);
    for (let beside = -1; beside <= 1; beside++) {
      const there = (slot + beside + slotCount) % slotCount;
      const latest = (this.#latest[there] ?? 0) - 1;
      if (latest < 0) continue;
      for (let back = 0; back < dayCount; back++) {
        const index = there * dayCount + modulo(latest - back);
        if (this.#lows[index] === nothing) continue;
        if ((day - (latest - back)) * slotCount + slot - there < pastSlotsMin) continue;
        use((this.#lows[index] ?? 0) / stepsPerUnit, (this.#highs[index] ?? 0) / stepsPerUnit);
      }
    }
  }
}

/** Days before 1970 would be negative, and are taken as the first. */
function placeOf(time: number): { readonly day: number; readonly slot: number } {
  const day = Math.max(0, Math.floor(time / dayMillis));
  const within = ((time % dayMillis) + dayMillis) % dayMillis;
  return { day, slot: Math.min(slotCount - 1, Math.floor((within * slotCount) / dayMillis)) };
}

function stepOf(value: number): number {
  return Math.max(-stepMax, Math.min(stepMax, Math.round(value * stepsPerUnit)));
}

function modulo(day: number): number {
  return ((day % dayCount) + dayCount) % dayCount;
}
