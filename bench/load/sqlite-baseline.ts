import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sampleBody } from "./sample-body.ts";

/** Rows/s of a bare insert loop: the text of the same events, in order, WAL, every transaction of 5,000 flushed. */
export function sqliteInsertRate(rows: number): number {
  const directory = mkdtempSync(join(tmpdir(), "eventpulse-sqlite-"));
  const database = new DatabaseSync(join(directory, "bare.db"));
  database.exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE records (id BLOB PRIMARY KEY, data TEXT) WITHOUT ROWID");
  const insert = database.prepare("INSERT INTO records VALUES (?, ?)");
  const text = sampleBody(1, "0000").bytes.toString();
  const id = Buffer.alloc(16);
  const from = performance.now();
  for (let row = 0; row < rows; ) {
    database.exec("BEGIN IMMEDIATE");
    for (const end = row + 5_000; row < end; row++) {
      id.writeUInt32BE(row, 12);
      insert.run(id, text);
    }
    database.exec("COMMIT");
  }
  const seconds = (performance.now() - from) / 1000;
  database.close();
  rmSync(directory, { recursive: true, force: true });
  return rows / seconds;
}
