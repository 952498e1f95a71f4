export const faultKinds = [
  "throttling",
  "unprocessed items",
  "lost reply",
  "some of a batch fail",
  "all fail",
  "throwing handler",
  "same event three times",
  "encoded key",
  "object gone",
  "timeout at 10%",
  "timeout at 50%",
  "timeout at 90%",
  "two deliveries at once",
  "notification fails",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What goes wrong in one invocation. */
export interface FaultPlan {
  /** Share of the calls that DynamoDB throttles, from one call to another. */
  readonly throttledShare?: number;
  readonly throttledCalls?: readonly [from: number, to: number];
  /** Share of the batch writes that leave something out: 1 write to all but one, of 25 at most 24. */
  readonly unprocessedShare?: number;
  /** Share of the writes that take effect and whose answer does not come. */
  readonly lostShare?: number;
  /** The invocation is cut off before this call of DynamoDB. */
  readonly cutBefore?: number;
  /** Keys of objects that cannot be read. */
  readonly unreadable?: ReadonlySet<string>;
  /** The queue takes no work; the topic takes no message. */
  readonly queueDown?: boolean;
  readonly topicDown?: boolean;
  /** The handler itself throws, before its work or after. */
  readonly throws?: "before" | "after";
}

/** Faults of one invocation, drawn as its calls come, and counted. */
export class InjectedFaults {
  readonly plan: FaultPlan;
  readonly #random: () => number;
  readonly #seen = new Set<FaultKind>();
  #calls = 0;
  /** Faults so far. */
  count = 0;
  isCut = false;

  constructor(plan: FaultPlan, random: () => number) {
    this.plan = plan;
    this.#random = random;
  }

  /** Calls of DynamoDB so far. */
  get calls(): number {
    return this.#calls;
  }

  /** What was injected. */
  get kinds(): ReadonlySet<FaultKind> {
    return this.#seen;
  }

  note(kind: FaultKind): void {
    this.count++;
    this.#seen.add(kind);
  }

  /** For a call of DynamoDB. Throws when the invocation is cut off. */
  ofCall(operation: string): "throttled" | "lost" | null {
    const call = this.#calls++;
    const {
      cutBefore = Number.POSITIVE_INFINITY,
      throttledShare = 0,
      throttledCalls = [0, 0],
      lostShare = 0,
    } = this.plan;
    if (call >= cutBefore && !this.isCut) {
      this.isCut = true;
      this.count++;
    }
    this.checkCut();
    const [from, to] = throttledCalls;
    if (call >= from && call < to && this.#random() < throttledShare) {
      this.note("throttling");
      return "throttled";
    }
    if (/Write|Put|Delete/.test(operation) && this.#random() < lostShare) {
      this.note("lost reply");
      return "lost";
    }
    return null;
  }

  /** Nothing leaves an invocation that is over. */
  checkCut(): void {
    if (this.isCut) throw Object.assign(new Error("injected: the invocation is over"), { name: "CutOff" });
  }

  throwAtAll(): never {
    this.note("throwing handler");
    throw new Error("injected: the handler throws");
  }

  lostAnswer(): Error {
    if (this.isCut) return Object.assign(new Error("injected: the invocation is over"), { name: "CutOff" });
    return Object.assign(new Error("injected: read ECONNRESET"), { code: "ECONNRESET" });
  }

  /** The writes of a batch that are not made. */
  keptBack<Write>(writes: readonly Write[]): readonly Write[] {
    const { unprocessedShare = 0 } = this.plan;
    if (writes.length < 2 || this.#random() >= unprocessedShare) return [];
    this.note("unprocessed items");
    const count = 1 + Math.floor(this.#random() * (writes.length - 1));
    const from = Math.floor(this.#random() * (writes.length - count + 1));
    return writes.slice(from, from + count);
  }
}
