import { identityHash53 } from "../../model/identity.ts";
import type { Outcome } from "../../model/outcome.ts";
import { itemKeys } from "./item-keys.ts";

/** Outcomes that are prepared side by side, each by a few calls one after the other. */
const outcomesPerWave = 32;
/** Larger ones write side by side already. */
const recordsInWaveMax = 32;

/**
 * Cuts a list of outcomes, in its order, into runs of those that cannot meet: no two of a run are about the same subject, or
 * name the same identity. So a step of thousands of replays takes seconds instead of a minute.
 */
export function outcomeWaves(outcomes: readonly Outcome[]): Outcome[][] {
  const waves: Outcome[][] = [];
  let names = new Set<string>();
  for (const outcome of outcomes) {
    const own = namesOf(outcome);
    const last = waves.at(-1);
    const fits =
      own !== null && last !== undefined && last.length < outcomesPerWave && !own.some((one) => names.has(one));
    if (fits && names.size > 0) {
      last.push(outcome);
    } else {
      waves.push([outcome]);
      names = new Set();
    }
    for (const name of own ?? []) names.add(name);
  }
  return waves;
}

/** Null: it stands alone. */
function namesOf({ rawKey, meta, subject, records, failures }: Outcome): string[] | null {
  if (records.length > recordsInWaveMax || failures.length > recordsInWaveMax) return null;
  const identities = [
    ...records.flatMap(({ identity, id }) => (identity === null ? [] : identityHash53(id.subarray(6)))),
    ...failures.flatMap(({ identity }) => identity ?? []),
  ];
  // One outcome may name an identity twice; only others must not.
  return [
    nameOf(rawKey, subject),
    ...identities.map((identity) => itemKeys.recordPartition(meta.tenant, meta.stream, identity)),
  ];
}

function nameOf(rawKey: string, subject: Outcome["subject"]): string {
  if (subject.kind === "failure") return `failure ${subject.failureId}`;
  return subject.kind === "event" ? `event ${rawKey} ${subject.index}` : `object ${rawKey}`;
}
