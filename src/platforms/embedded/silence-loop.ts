import type { Project } from "../../model/definition.ts";
import { judgeSilence, knowsSilence } from "../../pipeline/process/rules/judge-silence.ts";
import type { DetectorStates, SilenceOutcome } from "../../ports/detector-states.ts";

export interface SilenceLoopOptions {
  readonly project: Project;
  readonly states: DetectorStates;
  readonly clock: () => number;
  /** Told of what was committed. */
  readonly onCommitted: (outcomes: readonly SilenceOutcome[]) => void;
  readonly onHealth: (problem: string | null) => void;
}

/** Detectors are asked so often; a silence is two buckets at least, and a bucket a second at least. */
const askEveryMillis = 1_000;
/** Between two looks at the clock. More, and the machine was asleep or the process stopped: what happened meanwhile nobody saw. */
const breakMillis = 60_000;

/**
 * Asks detectors what it means that nothing comes. The process loop calls it between its batches, where no outcome is under way
 * that builds on the states. Time counts from when the process started, or went on: its own absence is nobody's silence.
 */
export class SilenceLoop {
  readonly #options: SilenceLoopOptions;
  readonly #isOn: boolean;
  #watchedSince: number;
  #lookedAt: number;
  #askedAt = 0;
  #troubled = false;

  constructor(options: SilenceLoopOptions) {
    this.#options = options;
    this.#isOn = knowsSilence(options.project);
    this.#watchedSince = options.clock();
    this.#lookedAt = this.#watchedSince;
  }

  /** `seenUntil`: all that arrived before is processed. */
  async look(seenUntil: number): Promise<void> {
    const { project, states, clock, onCommitted, onHealth } = this.#options;
    const now = clock();
    if (now - this.#lookedAt > breakMillis) this.#watchedSince = now;
    this.#lookedAt = now;
    if (!this.#isOn || now - this.#askedAt < askEveryMillis) return;
    this.#askedAt = now;
    try {
      const committed = await judgeSilence(project, states, { seenUntil, watchedSince: this.#watchedSince });
      if (committed.length > 0) onCommitted(committed);
      if (this.#troubled) onHealth(null);
      this.#troubled = false;
    } catch (error) {
      this.#troubled = true;
      onHealth(`Silence cannot be judged: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
