/**
 * One unit of work that is not the first delivery of a raw object: an upload that arrived, an event or a failure to try
 * again, a step of a job. `attempt` is the number of the attempt that is asked for: attempts so far + 1.
 */
export type Work =
  | {
      readonly kind: "upload";
      readonly tenant: string;
      readonly stream: string;
      readonly rawKey: string;
      readonly events: number;
    }
  | {
      readonly kind: "event";
      readonly tenant: string;
      readonly rawKey: string;
      readonly stream: string;
      readonly index: number;
      readonly attempt: number;
    }
  | {
      readonly kind: "failure";
      readonly tenant: string;
      readonly stream: string;
      readonly failureId: string;
      readonly attempt: number;
    }
  /** The next step of a job; one with another number than the job's is stale. */
  | {
      readonly kind: "job";
      readonly tenant: string;
      readonly stream: string;
      readonly jobId: string;
      readonly step: number;
    };

export interface WorkMessage {
  readonly id: string;
  readonly work: Work;
  /** How often it has been received, this time included. */
  readonly receives: number;
  /** Proof of this receipt: a late acknowledgement of an earlier one changes nothing. */
  readonly receipt: string;
}

/**
 * Work to do, at least once each, in no promised order. A message that is received is invisible to others for
 * `visibilityTimeoutSeconds` of the adapter; not acknowledged by then, it comes again. After `limits.attemptsMax` receives it is a dead letter.
 */
export interface WorkQueue {
  /** Durable when it resolves. It is not received before `delayMillis` have passed. */
  enqueue(work: readonly Work[], delayMillis?: number): Promise<void>;
  /** Up to `max` (1 to 10) messages that are due; empty when there are none. Two receivers never get one message at the same time. */
  receive(max: number): Promise<readonly WorkMessage[]>;
  /** The work is done. Doing it twice, or with an old receipt, is no error. */
  acknowledge(message: WorkMessage): Promise<void>;
  /** The work failed: it comes again after `delayMillis`, or is a dead letter when it has been received often enough. */
  fail(message: WorkMessage, delayMillis: number): Promise<"again" | "dead">;
  /** Takes up to `max` dead letters out of the queue, to be written to the failure log. Each is handed out again until acknowledged. */
  deadLetters(max: number): Promise<readonly WorkMessage[]>;
}
