/**
 * What a change of a contract means to those who send events, in the words of semver.org.
 * - `major`: an event that was valid may be refused.
 * - `minor`: more is accepted than before.
 * - `patch`: the same is accepted; the words differ.
 */
export type ChangeLevel = "major" | "minor" | "patch";

/** One difference between two contracts of a stream. */
export interface ContractChange {
  readonly level: ChangeLevel;
  /** JSON Pointer into the event; `*` stands for every element of an array, and for every field that is not named. */
  readonly pointer: string;
  /** What is different, as the end of a sentence about that place: "is required now". */
  readonly detail: string;
}

/** The level of all changes together; null when there is none. */
export function highestLevel(changes: readonly ContractChange[]): ChangeLevel | null {
  const found = new Set(changes.map(({ level }) => level));
  return (["major", "minor", "patch"] as const).find((level) => found.has(level)) ?? null;
}
