import { join } from "node:path";

/** Where things lie in a data folder. The raw log and the files are laid out like the keys in S3. */
export interface DataFolder {
  readonly database: string;
  readonly rawLog: string;
  readonly objects: string;
  readonly outbox: string;
  readonly secrets: string;
  readonly lock: string;
  /** The item of a job that is being tried, after a crash. */
  readonly trying: string;
}

export function dataFolder(directory: string): DataFolder {
  return {
    database: join(directory, "eventpulse.db"),
    rawLog: join(directory, "log"),
    objects: join(directory, "objects"),
    outbox: join(directory, "outbox"),
    secrets: join(directory, "secrets.json"),
    lock: join(directory, "lock"),
    trying: join(directory, "trying"),
  };
}
