import { tenantDefault } from "../../model/glossary.ts";
import type { Balance, StreamCounters } from "../../model/outcome.ts";
import { sumBalances } from "../../model/sum-balances.ts";
import { type Checkpoint, checkpointStart, type Progress } from "./process-messages.ts";
import type { AcceptedObject } from "./raw-log.ts";
import { tenantAndStream, tenantStream } from "./tenant-stream.ts";

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
 * Keeps the balance of each tenant's streams: what the raw log has accepted against what processing has committed. Both are
 * counted from the beginning of the data folder, so their difference is what is in flight, whatever crashed in between.
 */
export class Ledger {
  /** By `tenantStream`, as are the maps of the progress. */
  readonly #accepted = new Map<string, number>();
  #progress: Progress = { checkpoint: checkpointStart, counters: new Map(), uploads: new Map() };

  /** `checkpoint`: how far processing had come when the log was opened. */
  constructor(checkpoint: Checkpoint) {
    for (const [key, events] of Object.entries(checkpoint.events)) this.#accepted.set(key, events);
  }

  accept(objects: readonly AcceptedObject[]): void {
    for (const { meta } of objects) {
      const key = tenantStream(meta.tenant, meta.stream);
      this.#accepted.set(key, (this.#accepted.get(key) ?? 0) + meta.events);
    }
  }

  progress(progress: Progress): void {
    this.#progress = progress;
  }

  /** Of one tenant: streams of the config, and those that are not in it any more but have a past. */
  balance(tenant: string, streams: Iterable<string>): ReadonlyMap<string, Balance> {
    const past = this.#known().flatMap(([owner, stream]) => (owner === tenant ? stream : []));
    const names = new Set([...streams, ...past]);
    return new Map([...names].map((stream) => [stream, this.#balanceOf(tenantStream(tenant, stream))]));
  }

  /** Of all tenants together. */
  total(streams: Iterable<string>): ReadonlyMap<string, Balance> {
    const tenants = new Set([tenantDefault, ...this.#known().map(([tenant]) => tenant)]);
    return sumBalances([...tenants].map((tenant) => this.balance(tenant, [...streams])));
  }

  #known(): readonly (readonly [tenant: string, stream: string])[] {
    const { counters, uploads } = this.#progress;
    return [...this.#accepted.keys(), ...counters.keys(), ...uploads.keys()].map(tenantAndStream);
  }

  #balanceOf(key: string): Balance {
    const counters = this.#progress.counters.get(key) ?? noCounters;
    const { received, stored, dropped, quarantined, dead, retrying, duplicates } = counters;
    const { checkpoint, uploads } = this.#progress;
    const waiting = (this.#accepted.get(key) ?? 0) - (checkpoint.events[key] ?? 0) + (uploads.get(key) ?? 0);
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
