import { EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { anomalyJson } from "./anomaly-json.ts";
import { failureJson } from "./failure-json.ts";
import { recordJson } from "./record-json.ts";
import type { LiveEvent, Services } from "./services.ts";

const encoder = new TextEncoder();

/** The listeners of the live tail: at most `limits.liveListenersMax`, each with a bound on rate and on bytes that wait. */
export class LiveListeners {
  readonly #ends = new Set<() => void>();

  /**
   * A `text/event-stream` body of what a tenant has committed from now on, until the reader cancels it or `signal` aborts.
   * What is over the rate or does not fit the line is counted and told as `skipped`, once a second. Throws TOO_BUSY.
   */
  listen(
    services: Pick<Services, "subscribe" | "project">,
    tenant: string,
    stream: string | null,
    signal: AbortSignal,
  ): ReadableStream<Uint8Array> {
    if (this.#ends.size >= limits.liveListenersMax) {
      throw new EventPulseError("TOO_BUSY", `${limits.liveListenersMax} listeners are connected; try again later.`, {
        retryAfterSeconds: limits.liveHeartbeatSeconds,
      });
    }
    let end = () => {};
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          end = this.#attach(controller, services, tenant, stream, signal);
        },
        cancel: () => end(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: limits.liveBytesWaitingMax }),
    );
  }

  /** Ends every listener's stream. */
  close(): void {
    for (const end of [...this.#ends]) end();
  }

  #attach(
    controller: ReadableStreamDefaultController<Uint8Array>,
    services: Pick<Services, "subscribe" | "project">,
    tenant: string,
    stream: string | null,
    signal: AbortSignal,
  ): () => void {
    const line = new LiveLine(services, controller);
    const unsubscribe = services.subscribe(tenant, stream, (event) => line.offer(event));
    const timer = setInterval(() => {
      if (!line.tick()) end();
    }, 1_000);
    timer.unref();
    const end = () => {
      if (!this.#ends.delete(end)) return;
      clearInterval(timer);
      signal.removeEventListener("abort", end);
      unsubscribe();
      line.close();
    };
    this.#ends.add(end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    return end;
  }
}

/** What one listener gets. Times are counted in ticks of a second. */
class LiveLine {
  readonly #services: Pick<Services, "project">;
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  #messagesLeft = limits.liveMessagesPerSecondMax;
  #skipped = 0;
  #quietSeconds = 0;
  #stalledSeconds = 0;

  constructor(services: Pick<Services, "project">, controller: ReadableStreamDefaultController<Uint8Array>) {
    this.#services = services;
    this.#controller = controller;
    // The comment makes every layer send its headers now; clients reconnect after 3 s.
    this.#write("retry: 3000\n: listening\n\n");
  }

  offer(event: LiveEvent): void {
    if (event.kind === "skipped") this.#skipped += event.count;
    else if (this.#messagesLeft > 0 && this.#hasRoom()) {
      this.#messagesLeft--;
      this.#write(liveMessage(this.#services, event));
    } else this.#skipped++;
  }

  /** Once a second. False when the listener has taken nothing for so long that it is given up. */
  tick(): boolean {
    this.#messagesLeft = limits.liveMessagesPerSecondMax;
    this.#quietSeconds++;
    if (!this.#hasRoom()) return ++this.#stalledSeconds < limits.liveStalledSeconds;
    this.#stalledSeconds = 0;
    if (this.#skipped > 0) {
      this.#write(liveMessage(this.#services, { kind: "skipped", count: this.#skipped }));
      this.#skipped = 0;
    } else if (this.#quietSeconds >= limits.liveHeartbeatSeconds) this.#write(": still here\n\n");
    return true;
  }

  close(): void {
    try {
      this.#controller.close();
    } catch {
      // The reader has cancelled: it is closed already.
    }
  }

  #hasRoom(): boolean {
    return (this.#controller.desiredSize ?? 0) > 0;
  }

  #write(text: string): void {
    this.#quietSeconds = 0;
    this.#controller.enqueue(encoder.encode(text));
  }
}

/** One message of the live tail. */
export function liveMessage(services: Pick<Services, "project">, event: LiveEvent): string {
  if (event.kind === "skipped") return message("skipped", JSON.stringify({ count: event.count }));
  return message(event.kind, jsonOf(services, event));
}

function jsonOf(services: Pick<Services, "project">, event: Exclude<LiveEvent, { kind: "skipped" }>): string {
  if (event.kind === "record") return recordJson(event.record);
  return event.kind === "failure" ? failureJson(services, event.failure) : anomalyJson(event.anomaly);
}

/** A line break ends a field in this format; in JSON it can only stand between tokens, so a space does as well. */
function message(event: string, json: string): string {
  return `event: ${event}\ndata: ${/[\r\n]/.test(json) ? json.replaceAll(/[\r\n]/g, " ") : json}\n\n`;
}
