import { FaultWorld } from "./fault-world.ts";
import type { FaultKind, FaultPlan } from "./injected-faults.ts";
import { integer, pick, plainEvents, randomEvents, unusualEvent } from "./random-events.ts";
import { cooldownMillis, cuts, note, notifiedMillis, oddName, type Seen, settle } from "./rounds.ts";
import type { TableSnapshot } from "./table-snapshot.ts";

type Provoke = (world: FaultWorld, round: number, seen: Seen) => Promise<unknown>;

/** A round in which one kind of fault is met and no other, on as few events as it takes: what hides behind another shows here. */
export async function loneRound(world: FaultWorld, round: number, kind: FaultKind, seen: Seen): Promise<TableSnapshot> {
  FaultWorld.now += cooldownMillis;
  await provokes[kind](world, round, seen);
  return settle(world);
}

const provokes: Readonly<Record<FaultKind, Provoke>> = {
  throttling: whileProcessing((world) => {
    const from = integer(world.random, 8);
    return { throttledShare: 1, throttledCalls: [from, from + 1 + integer(world.random, 5)] };
  }),
  // A batch of one item is all or nothing.
  "unprocessed items": whileProcessing(() => ({ unprocessedShare: 1 }), 3),
  "lost reply": whileProcessing(() => ({ lostShare: 0.5 })),
  "timeout at 10%": cutAt("timeout at 10%"),
  "timeout at 50%": cutAt("timeout at 50%"),
  "timeout at 90%": cutAt("timeout at 90%"),
  "throwing handler": whileProcessing(({ random }) => ({ throws: pick(random, ["before", "after"]) })),
  "all fail": unreadable("all fail", (keys) => keys),
  "some of a batch fail": unreadable("some of a batch fail", (keys) => keys.slice(1)),
  async "two deliveries at once"(world, round, seen) {
    await acceptFew(world, round);
    await world.processAtOnce(world.receive());
    seen("two deliveries at once");
  },
  async "same event three times"(world, round, seen) {
    world.copies = 3;
    await acceptFew(world, round);
    world.copies = 1;
    seen("same event three times");
  },
  async "encoded key"(world, round, seen) {
    await world.putFile(`inbox/default/plain/${oddName(world.random, round)}`, randomEvents(world.random, 2, round));
    seen("encoded key");
  },
  async "object gone"(world, round, seen) {
    await world.lose(await acceptFew(world, round));
    seen("object gone");
  },
  async "notification fails"(world, _round, seen) {
    await world.accept("keyed", [unusualEvent(world.random)]);
    await settle(world);
    note(await world.sweep({ topicDown: true }), seen);
    FaultWorld.now += notifiedMillis;
    await world.sweep({});
  },
};

/** An object of up to three events. Answers with its key. */
function acceptFew(world: FaultWorld, round: number, eventsMin = 1): Promise<string> {
  const { random } = world;
  const count = eventsMin + integer(random, 4 - eventsMin);
  return world.accept(pick(random, ["keyed", "plain"]), randomEvents(random, count, round));
}

function whileProcessing(plan: (world: FaultWorld) => FaultPlan, eventsMin = 1): Provoke {
  return async (world, round, seen) => {
    await acceptFew(world, round, eventsMin);
    note(await world.process(world.receive(), plan(world)), seen);
  };
}

function cutAt(kind: keyof typeof cuts): Provoke {
  return async (world, _round, seen) => {
    const { random } = world;
    const stream = pick(random, ["keyed", "plain"]);
    // One that is not cut off, to know how many calls it takes.
    await world.accept(stream, plainEvents(random, 2));
    const { calls } = await world.process(world.receive(), {});
    await world.accept(stream, plainEvents(random, 2));
    const cutBefore = Math.max(1, Math.floor(calls * cuts[kind]));
    if ((await world.process(world.receive(), { cutBefore })).isCut) seen(kind);
  };
}

function unreadable(kind: FaultKind, fail: (keys: readonly string[]) => readonly string[]): Provoke {
  return async (world, round, seen) => {
    const keys = [await acceptFew(world, round), await acceptFew(world, round)];
    await world.process(world.receive(), { unreadable: new Set(fail(keys)) });
    seen(kind);
  };
}
