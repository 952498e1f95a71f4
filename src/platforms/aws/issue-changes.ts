import type { FailureDraft } from "../../model/failure.ts";
import type { ItemKey } from "./item.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** What an issue needs to know of a failure. */
export interface IssueMember {
  readonly id: string;
  readonly tenant: string;
  readonly stream: string;
  readonly fingerprint: string;
  readonly firstSeenAt: number;
}

/** Gathers what happens to failures in one commit, then writes each issue and its hours once. */
export class IssueChanges {
  /** A new failure. */
  added(_member: IssueMember, _cause: FailureDraft, _now: number): void {
    throw new Error("to be written");
  }

  /** A failure that waits was seen again, or failed again. With `cause` it fails for that one now: it leaves one issue for another. */
  again(_member: IssueMember, _cause: FailureDraft | null, _now: number): void {
    throw new Error("to be written");
  }

  /** A failure that waited is over. */
  ended(_member: IssueMember, _as: "recovered" | "discarded"): void {
    throw new Error("to be written");
  }

  /** Of all items that `write` would write. */
  keys(): readonly ItemKey[] {
    throw new Error("to be written");
  }

  /** Reads and writes, within the unit, those items whose key passes `part`; may be called again for a new unit after a lost race. */
  async write(_unit: UnitOfWork, _part: (key: ItemKey) => boolean): Promise<void> {
    throw new Error("to be written");
  }
}
