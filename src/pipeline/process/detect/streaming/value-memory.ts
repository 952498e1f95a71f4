const cellCount = 1024;
const cellSize = 0.02;

/**
 * Which values a number had so far, as cells of 0.02 on a line from `min` to `min + 20.48`; beyond, the cell at its end. A new
 * value's distance from the nearest one that was there before: conformal prediction's nearest-neighbour nonconformity in one
 * dimension (Vovk, Gammerman and Shafer 2005). 128 bytes.
 */
export class ValueMemory {
  static readonly bytes = cellCount / 8;
  readonly #cells: Uint8Array;
  readonly #min: number;

  constructor(buffer: ArrayBuffer, offset: number, min: number) {
    this.#cells = new Uint8Array(buffer, offset, ValueMemory.bytes);
    this.#min = min;
  }

  /** Null before the first. */
  distance(value: number): number | null {
    const cell = this.#cellOf(value);
    for (let away = 0; away < cellCount; away++)
      if (this.#has(cell - away) || this.#has(cell + away)) return away * cellSize;
    return null;
  }

  learn(value: number): void {
    const cell = this.#cellOf(value);
    this.#cells[cell >>> 3] = (this.#cells[cell >>> 3] ?? 0) | (1 << (cell & 7));
  }

  /** Moves all values, for another scale. */
  convert(change: (value: number) => number): void {
    const before = this.#cells.slice();
    this.#cells.fill(0);
    for (let cell = 0; cell < cellCount; cell++) {
      if (((before[cell >>> 3] ?? 0) & (1 << (cell & 7))) !== 0) this.learn(change(this.#min + cell * cellSize));
    }
  }

  /** The smallest and the largest value so far. */
  range(): { readonly low: number; readonly high: number } {
    let first = 0;
    while (first < cellCount - 1 && !this.#has(first)) first++;
    let last = cellCount - 1;
    while (last > 0 && !this.#has(last)) last--;
    return { low: this.#min + first * cellSize, high: this.#min + last * cellSize };
  }

  #has(cell: number): boolean {
    return cell >= 0 && cell < cellCount && ((this.#cells[cell >>> 3] ?? 0) & (1 << (cell & 7))) !== 0;
  }

  #cellOf(value: number): number {
    return Math.max(0, Math.min(cellCount - 1, Math.round((value - this.#min) / cellSize)));
  }
}
