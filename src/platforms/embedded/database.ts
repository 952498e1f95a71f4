import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { assert, EventPulseError } from "../../model/error.ts";
import { databaseSchemaSteps } from "./database-schema.ts";

/** Milliseconds since 1970. */
export type Clock = () => number;

/**
 * One connection to the embedded database. Two threads open the same file: the one that writes and is the only writer, and
 * the one that answers queries. Everything is synchronous, so that several adapters compose into one transaction.
 */
export interface Database {
  readonly path: string;
  /** The statement of a fixed text, prepared once. For texts without end (filters) use `prepare`. */
  statement(sql: string): StatementSync;
  prepare(sql: string): StatementSync;
  /** The first row, or null. `Row` is what the text selects; it is not checked. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | null;
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  /** `all` with each row as an array in the order of its columns, for what is read by the thousand: 31 columns take 3.8 us instead of 6.8. */
  arrays<Row extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]): Row[];
  /** Rows that this connection has changed so far, those of transactions that were taken back included. */
  changes(): number;
  /** Answers with the number of rows that changed. */
  run(sql: string, ...values: SQLInputValue[]): number;
  /**
   * Runs `work` in a transaction: all of it becomes durable when the outermost call returns, nothing when it throws. A call
   * inside another is a part of it, and ends it when it throws. On a reading connection it is one consistent moment.
   */
  transaction<T>(work: () => T): T;
  /** Runs `work`, alone or as a part of a transaction, and takes back all that it wrote. */
  rehearse<T>(work: () => T): T;
  /** Small texts that belong to the data, such as how far the raw log has been processed. */
  readonly meta: { get(key: string): string | null; set(key: string, value: string): void };
  close(): void;
}

export interface DatabaseOptions {
  /** `write` creates the file and brings its schema up to date; `read` needs a file that a writer has opened before. */
  readonly mode: "write" | "read";
  /**
   * Memory for pages. Default 4 MB to write (46,800 keyed events/s, and 45,600 with 2 MB: medians of four alternated runs) and 2 MB to
   * read: what is not in it is most often still in the operating system's cache.
   */
  readonly cacheBytes?: number;
}

/** With 330-byte records 24 rows share a page; 4,096 was slower, 16,384 no faster. */
const pageBytes = 8192;
/** 64 MB of log between checkpoints: a smaller log copies hot index pages more often, a larger one slows readers. */
const checkpointPages = 8000;

/**
 * Opens the database at `path`. Write-ahead log, every commit flushed to the disk (`synchronous=FULL`; NORMAL gained
 * nothing in commits of thousands of rows). Throws SETTING_INVALID when a newer version of EventPulse wrote the file.
 */
export function openDatabase(
  path: string,
  { mode, cacheBytes = (mode === "write" ? 4 : 2) * 1024 * 1024 }: DatabaseOptions,
): Database {
  const sqlite = new DatabaseSync(path, { readOnly: mode === "read", timeout: 5000 });
  try {
    sqlite.exec(`PRAGMA cache_size = -${Math.ceil(cacheBytes / 1024)}`);
    if (mode === "write") prepareWriter(sqlite);
    else sqlite.exec("PRAGMA query_only = 1");
    checkVersion(sqlite, path, mode);
  } catch (error) {
    sqlite.close();
    throw error;
  }
  return connection(sqlite, path, mode);
}

function prepareWriter(sqlite: DatabaseSync): void {
  sqlite.exec(`PRAGMA page_size = ${pageBytes}`);
  sqlite.exec("PRAGMA journal_mode = WAL");
  sqlite.exec("PRAGMA synchronous = FULL");
  sqlite.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  // A log that once grew behind a long reader gives its disk space back at the next checkpoint.
  sqlite.exec(`PRAGMA journal_size_limit = ${2 * checkpointPages * pageBytes}`);
}

function checkVersion(sqlite: DatabaseSync, path: string, mode: "write" | "read"): void {
  const row = sqlite.prepare("PRAGMA user_version").get() as { user_version: number } | undefined;
  const version = row?.user_version ?? 0;
  if (version > databaseSchemaSteps.length) {
    throw new EventPulseError(
      "SETTING_INVALID",
      `${path} was written by a newer EventPulse (schema ${version}, this one knows ${databaseSchemaSteps.length}). Start the newer version, or choose another data folder.`,
    );
  }
  if (mode === "read") assert(version === databaseSchemaSteps.length, "a writer opens the database before a reader");
  for (const [index, step] of databaseSchemaSteps.entries()) {
    if (index < version) continue;
    sqlite.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

function connection(sqlite: DatabaseSync, path: string, mode: "write" | "read"): Database {
  const statements = new Map<string, StatementSync>();
  const arrayStatements = new Map<string, StatementSync>();
  const { transaction, rehearse } = transactions(sqlite, mode);

  function statement(sql: string): StatementSync {
    let prepared = statements.get(sql);
    if (prepared === undefined) {
      prepared = sqlite.prepare(sql);
      statements.set(sql, prepared);
    }
    return prepared;
  }

  function arrayStatement(sql: string): StatementSync {
    let prepared = arrayStatements.get(sql);
    if (prepared === undefined) {
      prepared = sqlite.prepare(sql);
      prepared.setReturnArrays(true);
      arrayStatements.set(sql, prepared);
    }
    return prepared;
  }

  return {
    path,
    statement,
    prepare: (sql) => sqlite.prepare(sql),
    get: <Row>(sql: string, ...values: SQLInputValue[]) => (statement(sql).get(...values) ?? null) as Row | null,
    all: <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).all(...values) as Row[],
    arrays: <Row extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]) =>
      arrayStatement(sql).all(...values) as unknown as Row[],
    changes: () => Number(statement("SELECT total_changes() AS count").get()?.["count"]),
    run: (sql, ...values) => Number(statement(sql).run(...values).changes),
    transaction,
    rehearse,
    meta: {
      get(key) {
        const row = statement("SELECT value FROM meta WHERE key = ?").get(key) as { value: string } | undefined;
        return row?.value ?? null;
      },
      set(key, value) {
        statement("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(key, value);
      },
    },
    close: () => sqlite.close(),
  };
}

/**
 * Only a rehearsal is a savepoint: under one, SQLite copies each page aside at every statement that changes it. When a
 * transaction inside another was one too, 100 events wrote 690 KB to temporary files, and their records 76 KB to the log.
 */
function transactions(sqlite: DatabaseSync, mode: "write" | "read"): Pick<Database, "transaction" | "rehearse"> {
  let failed = false;

  function outermost<T>(work: () => T, end: "COMMIT" | "ROLLBACK"): T {
    sqlite.exec(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN");
    failed = false;
    try {
      const result = synchronous(work());
      assert(!failed, "an error inside a transaction ends it, so nothing in it may catch the error");
      sqlite.exec(end);
      return result;
    } catch (error) {
      // A full disk ends the whole transaction by itself; then there is nothing left to roll back.
      if (sqlite.isTransaction) sqlite.exec("ROLLBACK");
      throw error;
    }
  }

  return {
    transaction(work) {
      if (!sqlite.isTransaction) return outermost(work, "COMMIT");
      try {
        return synchronous(work());
      } catch (error) {
        failed = true;
        throw error;
      }
    },
    rehearse(work) {
      if (!sqlite.isTransaction) return outermost(work, "ROLLBACK");
      sqlite.exec("SAVEPOINT rehearsal");
      try {
        return synchronous(work());
      } finally {
        if (sqlite.isTransaction) sqlite.exec("ROLLBACK TO rehearsal; RELEASE rehearsal");
      }
    },
  };
}

function synchronous<T>(result: T): T {
  assert(!(result instanceof Promise), "a transaction ends when its function returns, so it cannot be asynchronous");
  return result;
}
