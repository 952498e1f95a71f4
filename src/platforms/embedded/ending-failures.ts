import type { FailureState } from "../../model/failure.ts";
import type { Database } from "./database.ts";
import type { IssueMember } from "./issue-rows.ts";

/** What a commit needs to know of a failure that it ends. */
export interface EndingFailure extends IssueMember {
  readonly number: number;
  readonly state: FailureState;
  readonly attempts: number;
}

// CROSS JOIN fixes the order: the given ids first, each by its index.
const select = `SELECT given.key, number, failures.id, tenant, stream, fingerprint, first_seen_at, state, attempts
  FROM json_each(?) AS given CROSS JOIN failures ON failures.id = given.value`;

/** As `select` has them. */
type Row = readonly [
  place: number,
  number: number,
  id: string,
  tenant: string,
  streamNumber: number,
  fingerprint: string,
  firstSeenAt: number,
  state: FailureState,
  attempts: number,
];

/**
 * Those of the given failures that are there, each at the place of its id. A place without an id stays empty. What the caller
 * of `rememberLoaded` has read is not read again.
 */
export function findEnding(
  database: Database,
  ids: readonly (string | null)[],
): readonly (EndingFailure | undefined)[] {
  const known = loaded.get(database);
  if (known !== undefined && known.at === database.changes()) {
    const found = ids.map((id) => (id === null ? undefined : known.failures.get(id)));
    if (found.every((one, place) => one !== undefined || ids[place] === null)) return found;
  }
  const found = new Array<EndingFailure | undefined>(ids.length).fill(undefined);
  if (ids.every((id) => id === null)) return found;
  for (const row of database.arrays<Row>(select, JSON.stringify(ids))) {
    const [place, number, id, tenant, streamNumber, fingerprint, firstSeenAt, state, attempts] = row;
    found[place] = { number, id, tenant, streamNumber, fingerprint, firstSeenAt, state, attempts };
  }
  return found;
}

interface Loaded {
  /** `Database.changes` when they were read: as long as it is the same, they are as they were. */
  readonly at: number;
  readonly failures: Map<string, EndingFailure>;
}

/** The last failures that a job took, for each writing connection. */
const loaded = new WeakMap<Database, Loaded>();

/**
 * Keeps failures for the commit that ends them: nothing is written between them but what somebody else asks for meanwhile. It
 * saves a look-up in two trees for each, 3 us of the 48 that a replayed failure takes.
 */
export function rememberLoaded(database: Database, failures: readonly EndingFailure[]): void {
  const at = database.changes();
  const known = loaded.get(database);
  const kept = known?.at === at ? known : { at, failures: new Map<string, EndingFailure>() };
  for (const failure of failures) kept.failures.set(failure.id, failure);
  loaded.set(database, kept);
}
