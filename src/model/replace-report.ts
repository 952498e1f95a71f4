import type { ErrorDetail } from "./error.ts";
import { causePointer } from "./identity.ts";
import type { Replacement, ReplacementSample, ReplaceReason, ReplaceResult } from "./replacement.ts";

/** Samples of one object: a job shows a few of all its objects. */
const samplesMax = 3;
/** Different reasons of one object; more is a schema that fits nothing, and the first twenty say so. */
const reasonsMax = 20;

/** Gathers what became of the events of one raw object. */
export class ReplaceReport {
  readonly #rawKey: string;
  readonly #counts: Record<Replacement, number> = {
    same: 0,
    changed: 0,
    added: 0,
    removed: 0,
    failing: 0,
    waiting: 0,
    kept: 0,
    unmatched: 0,
  };
  readonly #reasons = new Map<string, { -readonly [Name in keyof ReplaceReason]: ReplaceReason[Name] }>();
  readonly #samples: ReplacementSample[] = [];

  constructor(rawKey: string) {
    this.#rawKey = rawKey;
  }

  add(index: number, result: Replacement, sample?: Pick<ReplacementSample, "before" | "after">): void {
    this.#counts[result]++;
    if (sample !== undefined && this.#samples.length < samplesMax) this.#samples.push({ index, result, ...sample });
  }

  fail(index: number, reason: ErrorDetail): void {
    this.add(index, "failing");
    const pointer = causePointer([reason]);
    const key = `${reason.code} ${pointer}`;
    const known = this.#reasons.get(key);
    if (known !== undefined) known.count++;
    else if (this.#reasons.size < reasonsMax) {
      this.#reasons.set(key, { code: reason.code, pointer, detail: reason.detail, count: 1, index });
    }
  }

  result(): ReplaceResult {
    return { rawKey: this.#rawKey, ...this.#counts, reasons: [...this.#reasons.values()], samples: this.#samples };
  }
}
