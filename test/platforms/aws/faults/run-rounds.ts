import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import { seededRandom } from "../../../faults/random.ts";
import { WorldCheck } from "./check-world.ts";
import { FaultWorld } from "./fault-world.ts";
import { agent } from "./faulty-requests.ts";
import type { FaultKind } from "./injected-faults.ts";
import { replaced, watchFunctions } from "./lambda-instance.ts";
import type { Random } from "./random-events.ts";
import { roundsOf } from "./rounds.ts";

/** What a thread is to do. Each has clock, randomness and environment of its own. */
export interface RoundsTask {
  readonly name: keyof typeof roundsOf;
  readonly seed: number;
  /** Rounds in which each kind of fault is met, at least. */
  readonly roundsMin: number;
}

export interface RoundsDone {
  readonly rounds: number;
  /** Of DynamoDB. */
  readonly calls: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** A world is left before it is so large that checking it takes longer than what is checked. */
const roundsPerWorld = 20;

/** Rounds until each kind of fault was met often enough; after each, all of the store is as if none had been. */
async function repeat({ name, seed, roundsMin }: RoundsTask): Promise<RoundsDone> {
  const { kinds, run, isEmulated } = roundsOf[name];
  const random: Random = seededRandom(seed);
  // What the product draws itself is jitter, which is not to take long.
  replaced(Math, { random: () => random() / 100 });
  replaced(Date, { now: () => FaultWorld.now });
  watchFunctions();
  const counts = new Map<FaultKind, number>(kinds.map((kind) => [kind, 0]));
  let round = 0;
  let calls = 0;
  while (Math.min(...counts.values()) < roundsMin) {
    assert(round < 3 * roundsMin + roundsPerWorld, `each kind is met often: ${JSON.stringify([...counts])}`);
    const world = await FaultWorld.open(random, isEmulated);
    const check = new WorldCheck(world);
    try {
      for (const end = round + roundsPerWorld; round < end; round++) {
        const seen = new Set<FaultKind>();
        await check.run(await run(world, round, (kind) => seen.add(kind)));
        for (const kind of seen) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }
    } catch (cause) {
      throw new Error(`round ${round}: ${(cause as Error).message}`, { cause });
    } finally {
      calls += world.calls;
      await world.close();
    }
  }
  return { rounds: round, calls, counts: Object.fromEntries(counts) };
}

if (parentPort !== null) {
  parentPort.postMessage(await repeat(workerData as RoundsTask));
  agent.destroy();
}
