import { type StreamingTuning, streamingTuning } from "../../src/pipeline/process/detect/streaming/streaming-tuning.ts";
import { table } from "../anomaly/anomaly-report.ts";
import type { SearchResult } from "../anomaly/coordinate-search.ts";
import { halves } from "../anomaly/halves.ts";
import type { LabelledSeries } from "../anomaly/labelled-series.ts";
import { madeSeries } from "../anomaly/made-series.ts";
import { type TunedLimit, tuneLimit } from "../anomaly/tune-limit.ts";
import { type OwnScore, ownScore, searchTuning, tracesOf } from "../anomaly/tuning-search.ts";

const tunedSeeds = [1, 7, 11];
const unseenSeeds = [2024, 2025, 2026];

/** Tunes the streaming detector on the first half of `real`, its limit alone and then all of its constants, and reports on all the others. */
export function anomalyTune(real: readonly LabelledSeries[]): void {
  console.log(
    `## The limit, tuned on the first half (shipped: ${streamingTuning.limit})\n\n${limitTable(tuneLimit(real))}\n`,
  );
  console.error("bench: a search over the tuning of the streaming detector, some minutes");
  const result = searchTuning(real, tunedSeeds.flatMap(madeSeries));
  console.log(`## Search on the first half and made seeds ${tunedSeeds.join(", ")}\n\n${searchTable(result)}\n`);
  console.log(`## What that gives\n\n${resultTable(real, result.chosen)}\n`);
}

function limitTable({ tried, chosen }: TunedLimit): string {
  return table(
    ["limit", "NAB standard, first half", ""],
    tried.map(({ limit, nab }) => [limit.toFixed(1), nab.toFixed(2), limit === chosen ? "chosen" : ""]),
  );
}

function searchTable({ steps }: SearchResult<StreamingTuning>): string {
  return table(
    ["constant", "tried: criterion", "shipped", "chosen"],
    steps.map(({ name, tried, chosen }) => [
      name,
      tried.map(({ value, worth }) => `${value}: ${worth.toFixed(2)}`).join(", "),
      String(streamingTuning[name]),
      String(chosen),
    ]),
  );
}

/** The shipped tuning also with the limits beside its own, which show how much of a score is the luck of one limit. */
function resultTable(real: readonly LabelledSeries[], searched: StreamingTuning): string {
  const { first, second } = halves(real);
  const corpora: readonly (readonly [string, readonly LabelledSeries[]])[] = [
    ["first half (searched)", first],
    ["second half", second],
    [`all ${real.length}`, real],
    ...unseenSeeds.map((seed) => [`made ${seed}`, madeSeries(seed)] as const),
  ];
  const row = (title: string, tuning: StreamingTuning, limitFactor?: number) => [
    title,
    ...corpora.map(([, series]) => scoreText(ownScore(tracesOf(series, tuning), tuning, limitFactor))),
  ];
  return table(
    ["NAB standard at own / false alarms a week, clean series", ...corpora.map(([title]) => title)],
    [
      row("shipped", streamingTuning),
      row("shipped, limit 10 % lower", streamingTuning, 0.9),
      row("shipped, limit 10 % higher", streamingTuning, 1.1),
      row("all constants as searched", searched),
    ],
  );
}

function scoreText({ nab, cleanAlarms }: OwnScore): string {
  return `${nab.toFixed(2)} / ${cleanAlarms.toFixed(2)}`;
}
