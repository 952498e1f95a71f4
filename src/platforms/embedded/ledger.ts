import type { Balance, StreamCounters } from "../../model/outcome.ts";
import { type Checkpoint, checkpointStart, type Progress } from "./process-messages.ts";
import type { AcceptedObject } from "./raw-log.ts";

const noCounters: StreamCounters = {
  received: 0,
  stored: 0,
  dropped: 0,
  quarantined: 0,
  dead: 0,
  retrying: 0,
  duplicates: 0,
};

/**
 * Keeps the balance of each stream: what the raw log has accepted against what processing has committed. Both are counted
 * from the beginning of the data folder, so their difference is what is in flight, whatever crashed in between.
 */
export class Ledger {
  readonly #accepted = new Map<string, number>();
  #progress: Progress = { checkpoint: checkpointStart, counters: new Map(), uploads: new Map() };

  /** `checkpoint`: how far processing had come when the log was opened. */
  constructor(checkpoint: Checkpoint) {
    for (const [stream, events] of Object.entries(checkpoint.events)) this.#accepted.set(stream, events);
  }

  accept(objects: readonly AcceptedObject[]): void {
    for (const { meta } of objects)
      this.#accepted.set(meta.stream, (this.#accepted.get(meta.stream) ?? 0) + meta.events);
  }

  progress(progress: Progress): void {
    this.#progress = progress;
  }

  counters(stream: string): StreamCounters {
    return this.#progress.counters.get(stream) ?? noCounters;
  }

  /** Streams of the config, and those that are not in it any more but have a past. */
  balance(streams: Iterable<string>): ReadonlyMap<string, Balance> {
    const names = new Set([...streams, ...this.#accepted.keys(), ...this.#progress.counters.keys()]);
    return new Map([...names].map((name) => [name, this.#balanceOf(name)]));
  }

  #balanceOf(stream: string): Balance {
    const { received, stored, dropped, quarantined, dead, retrying, duplicates } = this.counters(stream);
    const { checkpoint, uploads } = this.#progress;
    const waiting = (this.#accepted.get(stream) ?? 0) - (checkpoint.events[stream] ?? 0) + (uploads.get(stream) ?? 0);
    return {
      accepted: received - duplicates + waiting,
      stored,
      dropped,
      quarantined,
      dead,
      inFlight: retrying + waiting,
      duplicates,
    };
  }
}
