import { DatabaseSync } from "node:sqlite";
import { EventPulseError } from "../../model/error.ts";

/**
 * Keeps a second process out of a data folder. The lock is SQLite's exclusive lock on a file of its own: the operating
 * system gives it back when the process ends, also after kill -9, which a file with a process id in it does not.
 */
export function lockFolder(path: string): { release(): void } {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw new EventPulseError(
      "SETTING_INVALID",
      "Another EventPulse uses this data folder. Stop it, or choose another folder with --data DIR.",
      { cause },
    );
  }
  return { release: () => database.close() };
}
