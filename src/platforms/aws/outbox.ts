import type { Work } from "../../ports/work-queue.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** Work that a commit asks for, kept in the table until the queue has it: a crash between the two loses nothing. */
export class Outbox {
  /** Within a unit: `work` is to be received from `dueAt` on. One item. */
  add(_unit: UnitOfWork, _work: Work, _dueAt: number): void {
    throw new Error("to be written");
  }

  /** Hands what was added and committed to the queue. What cannot be handed over now is left to `sweep`. Never throws. */
  async dispatch(): Promise<void> {
    throw new Error("to be written");
  }

  /** Hands over what earlier processes left behind, and what is due now. For the schedule. */
  async sweep(): Promise<void> {
    throw new Error("to be written");
  }
}
