import type { Database } from "./database.ts";
import { tenantStream } from "./tenant-stream.ts";

/** The number that stands for (tenant, stream) in every other table; null when nothing was ever kept for it. */
export function findStreamNumber(database: Database, tenant: string, stream: string): number | null {
  const row = database.get<{ id: number }>("SELECT id FROM streams WHERE tenant = ? AND name = ?", tenant, stream);
  return row?.id ?? null;
}

/** The same, made when it is not there. Not kept in memory: a transaction that rolls back would leave a wrong number behind. */
export function streamNumber(database: Database, tenant: string, stream: string): number {
  const found = findStreamNumber(database, tenant, stream);
  if (found !== null) return found;
  return Number(
    database.statement("INSERT INTO streams (tenant, name) VALUES (?, ?)").run(tenant, stream).lastInsertRowid,
  );
}

/** The numbers that one transaction asks for. */
export class StreamNumbers {
  readonly #database: Database;
  readonly #numbers = new Map<string, number>();
  #last: { readonly tenant: string; readonly stream: string; readonly number: number } | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  numberOf({ tenant, stream }: { readonly tenant: string; readonly stream: string }): number {
    if (this.#last?.tenant === tenant && this.#last.stream === stream) return this.#last.number;
    const key = tenantStream(tenant, stream);
    const number = this.#numbers.get(key) ?? streamNumber(this.#database, tenant, stream);
    this.#numbers.set(key, number);
    this.#last = { tenant, stream, number };
    return number;
  }
}
