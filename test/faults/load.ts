import { randomUUID } from "node:crypto";

export type Fate = "store" | "drop" | "dead" | "quarantine";
export type StreamName = "keyed" | "plain";

/** One request: what was sent, and whether its acknowledgement arrived. */
export interface Sent {
  readonly stream: StreamName;
  readonly idempotencyKey: string | null;
  readonly events: readonly { readonly tag: string; readonly fate: Fate; readonly json: string }[];
  acknowledged: boolean;
  /** How often it was sent. */
  sends: number;
}

/** Makes requests with a mix of fates. Tags are unique over the whole run. */
export class LoadMaker {
  readonly #random: () => number;
  #next = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  request(): Sent {
    const stream = this.#random() < 0.5 ? "keyed" : "plain";
    const size = this.#random() < 0.5 ? 1 : 1 + Math.floor(this.#random() * 60);
    const events = Array.from({ length: size }, () => this.#event());
    const idempotencyKey = stream === "plain" && this.#random() < 0.5 ? randomUUID() : null;
    return { stream, idempotencyKey, events, acknowledged: false, sends: 0 };
  }

  #event() {
    const tag = `t${(this.#next++).toString(36).padStart(8, "0")}`;
    const draw = this.#random();
    const fate: Fate = draw < 0.9 ? "store" : draw < 0.95 ? "quarantine" : draw < 0.998 ? "drop" : "dead";
    const value = fate === "quarantine" ? "no number" : Math.round(this.#random() * 1000);
    return { tag, fate, json: JSON.stringify({ tag, kind: fate === "quarantine" ? "store" : fate, value }) };
  }
}

/** Sends; a lost connection leaves the request unacknowledged, any other answer than 202 or a refusal for load is an error. */
export async function send(url: string, request: Sent): Promise<void> {
  request.sends++;
  const headers: Record<string, string> = { "content-type": "application/x-ndjson" };
  if (request.idempotencyKey !== null) headers["idempotency-key"] = request.idempotencyKey;
  const body = request.events.map(({ json }) => json).join("\n");
  const response = await fetch(`${url}/v1/streams/${request.stream}/events`, { method: "POST", headers, body }).catch(
    () => null,
  );
  if (response === null) return;
  const text = await response.text().catch(() => null);
  if (text === null) return;
  if (response.status === 202) {
    const { accepted, invalidCount } = JSON.parse(text) as { accepted: number; invalidCount: number };
    const invalid = request.events.filter(({ fate }) => fate === "quarantine").length;
    if (accepted !== request.events.length || invalidCount !== invalid)
      throw new Error(`wrong answer: ${text.slice(0, 300)}`);
    request.acknowledged = true;
  } else if (response.status !== 429 && response.status !== 503) {
    throw new Error(`${response.status}: ${text.slice(0, 500)}`);
  }
}
