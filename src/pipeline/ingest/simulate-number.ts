import type { Random } from "./simulate-random.ts";

/** What a number must satisfy, read from its JSON Schema. Infinite where open. */
export interface NumberRules {
  readonly integer: boolean;
  readonly low: number;
  readonly high: number;
  readonly lowExclusive: boolean;
  readonly highExclusive: boolean;
  readonly multipleOf: number | null;
}

const dayMillis = 86_400_000;
/** Bounds as wide as the exact integers say nothing about what is usual. */
const boundMeaningful = 1e9;

/**
 * A slow daily wave with a little noise, within the bounds: about a third up a bounded range, else around a value that suits
 * the name. Fields differ in phase by their name. `time` in milliseconds since 1970.
 */
export function simulateNumber(rules: NumberRules, name: string, time: number, random: Random): number {
  const { centre, width } = usual(rules, name);
  const phase = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  const wave = Math.sin((2 * Math.PI * (time % dayMillis)) / dayMillis + phase);
  const noise = random.next() + random.next() - 1;
  return fitNumber(centre + width * (wave + 0.3 * noise), rules);
}

/** The nearest number that satisfies the rules, without more decimals than the range needs. */
export function fitNumber(wanted: number, rules: NumberRules): number {
  const step = rules.multipleOf ?? (rules.integer ? 1 : 0);
  const span = rules.high - rules.low;
  if (step > 0) {
    const lowest = Math.ceil(rules.low / step) + (rules.lowExclusive && Number.isInteger(rules.low / step) ? 1 : 0);
    const highest =
      Math.floor(rules.high / step) - (rules.highExclusive && Number.isInteger(rules.high / step) ? 1 : 0);
    const decimals = Math.max(0, -Math.floor(Math.log10(step)) + 3);
    return Number(
      (Math.min(Math.max(Math.round(wanted / step), lowest), highest) * step).toFixed(Math.min(decimals, 20)),
    );
  }
  const decimals = span > 1 || !Number.isFinite(span) ? 2 : Math.min(Math.ceil(-Math.log10(span || 1)) + 3, 20);
  const rounded = Number(Math.min(Math.max(wanted, rules.low), rules.high).toFixed(decimals));
  if (isWithin(rounded, rules)) return rounded;
  if (Number.isFinite(span)) return rules.low + span / 2;
  return Number.isFinite(rules.low) ? rules.low + 1 : rules.high - 1;
}

function isWithin(value: number, { low, high, lowExclusive, highExclusive }: NumberRules): boolean {
  return (lowExclusive ? value > low : value >= low) && (highExclusive ? value < high : value <= high);
}

const namedCentres: readonly { readonly name: RegExp; readonly centre: number }[] = [
  { name: /temp/i, centre: 21 },
  { name: /humid|percent|cpu|load/i, centre: 45 },
  { name: /pressure/i, centre: 1013 },
  { name: /count|quantity|qty|items/i, centre: 4 },
  { name: /millis|latency|duration/i, centre: 120 },
  { name: /bytes|size/i, centre: 20_000 },
];

function usual({ low, high }: NumberRules, name: string): { readonly centre: number; readonly width: number } {
  const centre = namedCentres.find((known) => known.name.test(name))?.centre ?? 40;
  const lowGiven = Math.abs(low) < boundMeaningful;
  const highGiven = Math.abs(high) < boundMeaningful;
  const usualWidth = centre * 0.15;
  if (lowGiven && highGiven) {
    // A named value keeps its usual place when the bounds leave room around it.
    if (centre - 2 * usualWidth > low && centre * 3 < high) return { centre, width: usualWidth };
    return { centre: low + (high - low) * 0.35, width: (high - low) * 0.1 };
  }
  if (lowGiven && low > centre / 2) return { centre: low + centre, width: usualWidth };
  if (highGiven && high < centre * 1.5) return { centre: high - centre, width: usualWidth };
  return { centre, width: usualWidth };
}
