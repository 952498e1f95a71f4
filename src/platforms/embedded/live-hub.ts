interface Listener<Event> {
  readonly tenant: string;
  /** Null: all. */
  readonly stream: string | null;
  readonly listener: (event: Event) => void;
}

/** Those who watch live, and what each wants to see. */
export class LiveHub<Event extends { readonly kind: string }> {
  readonly #listeners = new Map<symbol, Listener<Event>>();
  readonly #onAudience: (watched: boolean) => void;

  /** `onAudience` is told when the first comes and when the last has gone, so that nothing is prepared for nobody. */
  constructor(onAudience: (watched: boolean) => void) {
    this.#onAudience = onAudience;
  }

  /** Calls `listener` with events of a tenant's `stream` (null: of all) until the returned function is called. */
  subscribe(tenant: string, stream: string | null, listener: (event: Event) => void): () => void {
    const id = Symbol("listener");
    this.#listeners.set(id, { tenant, stream, listener });
    if (this.#listeners.size === 1) this.#onAudience(true);
    return () => {
      if (this.#listeners.delete(id) && this.#listeners.size === 0) this.#onAudience(false);
    };
  }

  /** Tells those of the tenant who watch `stream`, or all. */
  publish(tenant: string, stream: string, event: Event): void {
    for (const one of this.#listeners.values()) {
      if (one.tenant === tenant && (one.stream === null || one.stream === stream)) one.listener(event);
    }
  }
}
