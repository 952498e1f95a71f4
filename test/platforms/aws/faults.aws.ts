import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, mock, test } from "node:test";
import { seededRandom } from "../../faults/random.ts";
import { WorldCheck } from "./faults/check-world.ts";
import { FaultWorld } from "./faults/fault-world.ts";
import { agent } from "./faults/faulty-requests.ts";
import type { FaultKind } from "./faults/injected-faults.ts";
import { watchFunctions } from "./faults/lambda-instance.ts";
import type { Random } from "./faults/random-events.ts";
import { callRound, messageRound, tableRound } from "./faults/rounds.ts";
import type { TableSnapshot } from "./faults/table-snapshot.ts";

const roundsMin = Number(process.env["TEST_ROUNDS"] ?? 200);
/** A world is left before it is so large that checking it takes longer than what is checked. */
const roundsPerWorld = 20;
const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));

before(() => {
  watchFunctions();
  mock.method(Date, "now", () => FaultWorld.now);
});
after(() => {
  mock.restoreAll();
  agent.destroy();
});

type Round = (world: FaultWorld, round: number, seen: (kind: FaultKind) => void) => Promise<TableSnapshot>;

/** Rounds until each kind of fault was met in `roundsMin` of them; after each, all of the store is as if none had been. */
async function repeat(name: string, kinds: readonly FaultKind[], emulated: boolean, run: Round): Promise<void> {
  const random: Random = seededRandom(seed);
  // What the product draws itself: jitter, which is not to take long.
  const jitter = mock.method(Math, "random", () => random() / 100);
  const counts = new Map<FaultKind, number>(kinds.map((kind) => [kind, 0]));
  const startedAt = performance.now();
  let round = 0;
  let calls = 0;
  try {
    while (Math.min(...counts.values()) < roundsMin) {
      assert(round < 3 * roundsMin + 20, `each kind is met often: ${JSON.stringify([...counts])}`);
      const world = await FaultWorld.open(random, emulated);
      const check = new WorldCheck(world);
      try {
        for (const end = round + roundsPerWorld; round < end; round++) {
          const seen = new Set<FaultKind>();
          await check.run(await run(world, round, (kind) => seen.add(kind)));
          for (const kind of seen) counts.set(kind, (counts.get(kind) ?? 0) + 1);
        }
      } finally {
        calls += world.calls;
        await world.close();
      }
    }
  } catch (cause) {
    throw new Error(
      `${name}, round ${round}, seed ${seed} (repeat with TEST_SEED=${seed}): ${(cause as Error).message}`,
      { cause },
    );
  } finally {
    jitter.mock.restore();
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(
    `${name}: seed ${seed}, ${round} rounds, ${calls} calls, ${seconds} s, ${JSON.stringify(Object.fromEntries(counts))}`,
  );
}

test("loses nothing and does nothing twice when the table throttles, leaves writes out and answers get lost", () =>
  repeat("table", ["throttling", "unprocessed items", "lost reply"], false, tableRound));

test("names exactly the messages that failed, whatever else is in the batch", () =>
  repeat(
    "messages",
    ["some of ten fail", "all fail", "same event three times", "encoded key", "object gone"],
    true,
    messageRound,
  ));

test("goes on where an invocation was cut off, beside another one, and when the topic takes nothing", () =>
  repeat(
    "calls",
    [
      "timeout at 10%",
      "timeout at 50%",
      "timeout at 90%",
      "two deliveries at once",
      "throwing handler",
      "notification fails",
    ],
    false,
    callRound,
  ));
