import type { Detector, Judgement } from "../../../model/detector.ts";

/**
 * A detector from a config, behind a check: what it answers is stored and shown, and the compiler that checked it may have been
 * told to look away. Throws what it throws, and a TypeError that says what is wrong with its answer.
 */
export function ownDetector(detector: Detector): Detector {
  const { kind } = detector;
  return {
    kind,
    judge: (point, state) => checked(kind, detector.judge(point, state)),
    dueAt: (state) => {
      const dueAt = detector.dueAt?.(state) ?? null;
      return Number.isFinite(dueAt) ? dueAt : null;
    },
    ...(detector.overdue !== undefined && {
      overdue: (point, state) => checked(kind, detector.overdue?.(point, state)),
    }),
  };
}

function checked(kind: string, answer: Judgement | undefined): Judgement {
  const verdict: unknown = answer?.verdict;
  if (answer === undefined || typeof verdict !== "object" || verdict === null) {
    throw new TypeError(`The detector "${kind}" must answer with { verdict, state }.`);
  }
  const { score, anomalous, why, expectedLow = null, expectedHigh = null } = answer.verdict;
  if (typeof score !== "number" || !(score >= 0 && score <= 1)) {
    throw new TypeError(`The score of the detector "${kind}" must be a number from 0 to 1, is ${String(score)}.`);
  }
  if (typeof anomalous !== "boolean" || typeof why !== "string") {
    throw new TypeError(`The verdict of the detector "${kind}" needs anomalous (true or false) and why (a text).`);
  }
  for (const edge of [expectedLow, expectedHigh]) {
    if (edge !== null && !Number.isFinite(edge)) {
      throw new TypeError(
        `The expected band of the detector "${kind}" must be numbers or null, holds ${String(edge)}.`,
      );
    }
  }
  return answer;
}
