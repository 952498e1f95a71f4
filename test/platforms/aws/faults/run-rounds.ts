import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import { seededRandom } from "../../../faults/random.ts";
import { WorldCheck } from "./check-world.ts";
import { FaultWorld } from "./fault-world.ts";
import { agent } from "./faulty-requests.ts";
import type { FaultKind } from "./injected-faults.ts";
import { replaced, watchFunctions } from "./lambda-instance.ts";
import { loneRound } from "./lone-round.ts";
import type { Random } from "./random-events.ts";
import { roundsOf, type Seen } from "./rounds.ts";
import type { TableSnapshot } from "./table-snapshot.ts";

/** What a thread is to do. Each has clock, randomness and environment of its own. */
export interface RoundsTask {
  readonly name: keyof typeof roundsOf;
  readonly seed: number;
  /** Rounds in which each kind of fault is met beside others, at least, and a quarter as many in which it is met alone. */
  readonly roundsMin: number;
}

type Counts = Readonly<Record<string, number>>;

export interface RoundsDone {
  readonly rounds: number;
  /** Of DynamoDB. */
  readonly calls: number;
  /** Rounds by the kinds of faults that were met in them: several in one round, and one alone. */
  readonly combined: Counts;
  readonly alone: Counts;
}

/** A world is left before it is so large that checking it takes longer than what is checked. */
const roundsPerWorld = 20;

/** After each round all of the store is as if no fault had been. */
async function repeat(task: RoundsTask): Promise<RoundsDone> {
  const { kinds, run } = roundsOf[task.name];
  const random: Random = seededRandom(task.seed);
  // What the product draws itself is jitter, which is not to take long.
  replaced(Math, { random: () => random() / 100 });
  replaced(Date, { now: () => FaultWorld.now });
  watchFunctions();
  const combined = await untilMet({ ...task, random, kinds, run });
  let { rounds, calls } = combined;
  const alone: Record<string, number> = {};
  for (const kind of kinds) {
    const roundsMin = Math.ceil(task.roundsMin / 4);
    const lone = await untilMet({
      ...task,
      roundsMin,
      random,
      kinds: [kind],
      run: (world, round, seen) => loneRound(world, round, kind, seen),
    });
    rounds += lone.rounds;
    calls += lone.calls;
    Object.assign(alone, lone.counts);
  }
  return { rounds, calls, combined: combined.counts, alone };
}

/** Rounds, calls of DynamoDB, and rounds by the kinds that were met. */
interface Met {
  readonly rounds: number;
  readonly calls: number;
  readonly counts: Counts;
}

interface Repetition extends RoundsTask {
  readonly random: Random;
  readonly kinds: readonly FaultKind[];
  readonly run: (world: FaultWorld, round: number, seen: Seen) => Promise<TableSnapshot>;
}

/** Rounds until each of `kinds` was met often enough, and no other was. */
async function untilMet({ name, roundsMin, random, kinds, run }: Repetition): Promise<Met> {
  const counts = new Map<FaultKind, number>(kinds.map((kind) => [kind, 0]));
  let round = 0;
  let calls = 0;
  while (Math.min(...counts.values()) < roundsMin) {
    assert(round < 3 * roundsMin + roundsPerWorld, `each kind is met often: ${JSON.stringify([...counts])}`);
    const world = await FaultWorld.open(random, roundsOf[name].isEmulated);
    const check = new WorldCheck(world);
    try {
      for (const end = round + roundsPerWorld; round < end; round++) {
        const seen = new Set<FaultKind>();
        await check.run(await run(world, round, (kind) => seen.add(kind)));
        for (const kind of seen) {
          const count = counts.get(kind);
          assert(count !== undefined, `${kind} was not asked for`);
          counts.set(kind, count + 1);
        }
      }
    } catch (cause) {
      throw new Error(`${kinds.join(", ")}: round ${round}: ${(cause as Error).message}`, { cause });
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
