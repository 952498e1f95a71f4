import type { Balance } from "./outcome.ts";

export const emptyBalance: Balance = {
  accepted: 0,
  stored: 0,
  dropped: 0,
  quarantined: 0,
  dead: 0,
  inFlight: 0,
  duplicates: 0,
};

export function addBalances(left: Balance, right: Balance): Balance {
  return {
    accepted: left.accepted + right.accepted,
    stored: left.stored + right.stored,
    dropped: left.dropped + right.dropped,
    quarantined: left.quarantined + right.quarantined,
    dead: left.dead + right.dead,
    inFlight: left.inFlight + right.inFlight,
    duplicates: left.duplicates + right.duplicates,
  };
}

/** One balance by stream of several, each of one tenant. */
export function sumBalances(balances: Iterable<ReadonlyMap<string, Balance>>): ReadonlyMap<string, Balance> {
  const sums = new Map<string, Balance>();
  for (const streams of balances) {
    for (const [stream, balance] of streams) sums.set(stream, addBalances(sums.get(stream) ?? emptyBalance, balance));
  }
  return sums;
}
