/** Seeded chance: the same parts give the same sequence on every machine. Not for secrets. */
export interface Random {
  /** 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
  chance(probability: number): boolean;
}

/** Mulberry32 (Tommy Ettinger, public domain) over a hash of the parts. 32 bits of state are plenty for made-up events. */
export function seededRandom(...parts: readonly number[]): Random {
  let state = 0x9e3779b9;
  for (const part of parts) {
    // Times do not fit 32 bits: both halves count.
    for (const half of [part % 2 ** 32, Math.floor(part / 2 ** 32)]) {
      state = Math.imul(state ^ half, 0x85ebca6b);
      state = (state ^ (state >>> 13)) + 0x6d2b79f5;
    }
  }
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    integer: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    chance: (probability) => next() < probability,
  };
}
