import { type AlarmResult, alarmsAt, type TimedSeries, thresholdFor } from "./alarms.ts";
import type { BenchDetector } from "./bench-detectors.ts";
import { type NabProfile, nabAt, nabBest, nabProfiles } from "./nab-score.ts";
import { vusPr } from "./vus-pr.ts";

/** A detector and what it said of each series of a corpus. */
export interface CorpusScores {
  readonly detector: BenchDetector;
  readonly corpus: readonly TimedSeries[];
}

export interface DetectorCost {
  readonly detector: BenchDetector;
  /** Microseconds a point: as the pipeline runs it, and with a state that stays in memory. */
  readonly batched: number;
  readonly inMemory: number;
  readonly stateBytesMax: number;
}

const none = "–";
const profiles = Object.keys(nabProfiles) as NabProfile[];

/** Scores without a threshold, at the one that is best in hindsight, and at the detector's own. */
export function scoreTable(results: readonly CorpusScores[]): string {
  return table(
    [
      "detector",
      "VUS-PR",
      ...profiles.map((profile) => `NAB ${profile}`),
      ...profiles.map((profile) => `${profile} at own`),
    ],
    results.map(({ detector: { name, threshold }, corpus }) => [
      name,
      corpus.some(({ windows }) => windows.length > 0) ? vusPr(corpus).toFixed(3) : none,
      ...profiles.map((profile) => nabBest(corpus, profile).score.toFixed(2)),
      ...profiles.map((profile) => (threshold === null ? none : nabAt(corpus, profile, threshold).score.toFixed(2))),
    ]),
  );
}

/** What somebody who is alerted sees: at one false alarm a series and week, and at the detector's own threshold. */
export function alarmTable(results: readonly CorpusScores[]): string {
  const delay = "delay (rows / hours / share of the window)";
  return table(
    [
      "detector",
      "recall at 1 a week",
      delay,
      "threshold",
      "recall at own",
      delay,
      "false alarms a week",
      "the same, clean series",
    ],
    results.map(({ detector, corpus }) => [detector.name, ...atOneAWeek(corpus), ...atOwn(corpus, detector.threshold)]),
  );
}

function atOneAWeek(corpus: readonly TimedSeries[]): readonly string[] {
  const result = alarmsAt(corpus, thresholdFor(corpus, 1));
  return [percent(result.recall), delayText(result), thresholdText(result.threshold)];
}

function atOwn(corpus: readonly TimedSeries[], threshold: number | null): readonly string[] {
  if (threshold === null) return [none, none, none, none];
  const result = alarmsAt(corpus, threshold);
  // Here the start counts too: a rule that is switched on must not cry wolf while it learns.
  const clean = alarmsAt(
    corpus.filter(({ windows }) => windows.length === 0),
    threshold,
    () => 0,
  );
  return [percent(result.recall), delayText(result), rate(result.falseAlarmsPerWeek), rate(clean.falseAlarmsPerWeek)];
}

/** What one setting of `falseAlarmsPerWeek` after the other gives, at the detector's own threshold, on each corpus. */
export function sensitivityTable(corpora: readonly (readonly CorpusScores[])[]): string {
  const [first = []] = corpora;
  return table(
    ["falseAlarmsPerWeek", ...corpora.flatMap(() => ["recall", "false alarms a week", "the same, clean series"])],
    first.map(({ detector: { name } }, index) => [
      name,
      ...corpora.flatMap((results) => {
        const result = results[index];
        const [recall = none, , ...alarms] = result ? atOwn(result.corpus, result.detector.threshold) : [];
        return [recall, ...alarms];
      }),
    ]),
  );
}

/** `baseline`: the name of the detector that the ratio is to. */
export function costTable(costs: readonly DetectorCost[], baseline: string): string {
  const base = costs.find(({ detector }) => detector.name === baseline);
  const ratio = (value: number, of: number | undefined) => (of === undefined ? none : (value / of).toFixed(1));
  return table(
    ["detector", "µs a point", "ratio", "µs a point, state in memory", "ratio", "largest state (bytes)"],
    costs.map(({ detector, batched, inMemory, stateBytesMax }) => [
      detector.name,
      batched.toFixed(2),
      ratio(batched, base?.batched),
      inMemory.toFixed(2),
      ratio(inMemory, base?.inMemory),
      stateBytesMax.toLocaleString("en-US"),
    ]),
  );
}

/** Tail probabilities lie so near to 1 that rounding would show nothing else. */
function thresholdText(threshold: number): string {
  if (!Number.isFinite(threshold)) return none;
  return threshold > 0.999 && threshold < 1
    ? `1 - ${(1 - threshold).toExponential(1)}`
    : String(Number(threshold.toPrecision(3)));
}

/** NaN where a corpus has no such series. */
function rate(perWeek: number): string {
  return Number.isNaN(perWeek) ? none : perWeek.toFixed(2);
}

function percent(share: number): string {
  return Number.isNaN(share) ? none : `${(100 * share).toFixed(1)} %`;
}

function delayText({ delayRows, delayHours, delayShare }: AlarmResult): string {
  return Number.isNaN(delayRows) ? none : `${delayRows} / ${delayHours.toFixed(1)} / ${delayShare.toFixed(2)}`;
}

/** In Markdown: the first column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ["---", ...head.slice(1).map(() => "---:")], ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
