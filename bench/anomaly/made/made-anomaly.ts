import type { Effect } from "./made-system.ts";

/** Something that goes wrong, once. */
export interface MadeAnomaly {
  /** How long it lasts; Infinity: to the end of the series. Never longer than half of its window, unless to the end. */
  readonly rows: number;
  /** Abrupt ones are labelled around their first row, gradual ones around their middle. */
  readonly gradual: boolean;
  /** What it does at `progress`, 0 to 1 of its length (0 throughout, when it lasts to the end), `strength` about 1. */
  readonly effect: (progress: number, strength: number) => Partial<Effect>;
}

type Part = "factor" | "add" | "noise" | "season" | "tempo";

/** A factor grows by powers, so that strength 0.8 of a tenfold is 6.3-fold and of a tenth 0.16. */
function scaled(part: Part, amount: number, strength: number): Partial<Effect> {
  return { [part]: part === "add" ? amount * strength : amount ** strength };
}

/** Highest at once, gone after a few rows. */
export function spike(part: "factor" | "add", amount: number, rows = 3): MadeAnomaly {
  const effect = (progress: number, strength: number) => {
    const left = 1 - progress;
    return part === "add" ? { add: amount * strength * left } : { factor: 1 + (amount ** strength - 1) * left };
  };
  return { rows, gradual: false, effect };
}

/** Other from one row to the next, and back after `rows`. */
export function shift(part: Part, amount: number, rows = Number.POSITIVE_INFINITY): MadeAnomaly {
  return { rows, gradual: false, effect: (_, strength) => scaled(part, amount, strength) };
}

/** Little by little away from the ordinary, then back at once: slow growth before a failure and its restart. */
export function growth(part: Part, amount: number, rows: number): MadeAnomaly {
  return { rows, gradual: true, effect: (progress, strength) => scaled(part, amount, strength * progress ** 1.5) };
}

/** Little by little away and little by little back. */
export function drift(part: Part, amount: number, rows: number): MadeAnomaly {
  return {
    rows,
    gradual: true,
    effect: (progress, strength) => scaled(part, amount, strength * Math.sin(Math.PI * progress)),
  };
}

/** The cycle of day, week or machine does not happen. */
export function noSeason(rows: number): MadeAnomaly {
  return { rows, gradual: false, effect: () => ({ season: 0 }) };
}

/** The same value again and again. */
export function stuck(rows: number): MadeAnomaly {
  return { rows, gradual: false, effect: () => ({ stuck: true }) };
}
