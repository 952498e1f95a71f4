import type { FailureState } from "../../model/failure.ts";
import { limits } from "../../model/limits.ts";
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
 * Each of the given failures at the place of its id; undefined where there is none, or no id. Those that `rememberLoaded` has
 * got in this order are not read again.
 */
export function findEnding(
  database: Database,
  ids: readonly (string | null)[],
): readonly (EndingFailure | undefined)[] {
  const found = ids.every((id) => id === null) ? [] : findLoaded(database, ids);
  if (found !== null) return found;
  const read: (EndingFailure | undefined)[] = ids.map(() => undefined);
  for (const row of database.arrays<Row>(select, JSON.stringify(ids))) {
    const [place, number, id, tenant, streamNumber, fingerprint, firstSeenAt, state, attempts] = row;
    read[place] = { number, id, tenant, streamNumber, fingerprint, firstSeenAt, state, attempts };
  }
  return read;
}

interface Loaded {
  /** `Database.changes` when they were read: as long as it is the same, they are as they were. */
  readonly at: number;
  readonly failures: EndingFailure[];
}

/** The last failures that a job took, for each writing connection. */
const loaded = new WeakMap<Database, Loaded>();

/**
 * Keeps the failures of a step for the commit that ends them: in between, nothing is written but what somebody else asks for. It
 * saves a look-up in two trees for each, 3 us of the 48 that a replayed failure took.
 */
export function rememberLoaded(database: Database, failures: readonly EndingFailure[]): void {
  const at = database.changes();
  const known = loaded.get(database);
  // A step that cannot be committed is loaded again and again.
  const goesOn = known?.at === at && known.failures.length + failures.length <= limits.jobStepItemsMax;
  if (goesOn) known.failures.push(...failures);
  else loaded.set(database, { at, failures: [...failures] });
}

/** Null when one of them was not loaded, or not in this order, or something was written since. */
function findLoaded(database: Database, ids: readonly (string | null)[]): (EndingFailure | undefined)[] | null {
  const known = loaded.get(database);
  if (known === undefined || known.at !== database.changes()) return null;
  const { failures } = known;
  const found: (EndingFailure | undefined)[] = [];
  let next = 0;
  for (const id of ids) {
    while (id !== null && next < failures.length && failures[next]?.id !== id) next++;
    if (id !== null && next === failures.length) return null;
    found.push(id === null ? undefined : failures[next++]);
  }
  return found;
}
