import assert from "node:assert/strict";
import { dependency } from "./fault-config.ts";
import { FaultWorld, type Message } from "./fault-world.ts";
import type { FaultKind, FaultPlan, InjectedFaults } from "./injected-faults.ts";
import { integer, pick, plainEvents, type Random, randomEvents, shuffled, unusualEvent } from "./random-events.ts";
import { TableSnapshot } from "./table-snapshot.ts";

/** Takes note of a fault that was met. */
export type Seen = (kind: FaultKind) => void;

/** Calls without faults after which all messages must be done: five attempts at an event, and what each sweep brings. */
const cleanCallsMax = 40;
/** More than an object may be pending before the sweep asks after it. */
const sweptMillis = 16 * 60_000;
/** More than the pause before the second try at a notification. */
export const notifiedMillis = 10_000;
/** More than the time in which a group is told once. */
export const cooldownMillis = 2 * 60_000;

/** The table throttles for a while, leaves out writes of batches, and answers get lost: several at once. */
async function tableRound(world: FaultWorld, round: number, seen: Seen): Promise<TableSnapshot> {
  const { random } = world;
  dependency.isDown = random() < 0.5;
  await world.accept("keyed", randomEvents(random, 2 + integer(random, 4), round));
  const isBulk = random() < 0.5;
  await world.accept("plain", isBulk ? plainEvents(random, 26 + integer(random, 20)) : randomEvents(random, 4, round));
  for (let call = 0; call < 2 && world.queue.length > 0; call++)
    note(await world.process(world.receive(), tableFaults(random)), seen);
  return settle(world);
}

/** For a while: from one call on, for some. */
function tableFaults(random: Random): FaultPlan {
  const from = integer(random, 12);
  return {
    ...(random() < 0.9 && {
      throttledShare: 0.3 + 0.7 * random(),
      throttledCalls: [from, from + 1 + integer(random, 15)],
    }),
    ...(random() < 0.9 && { unprocessedShare: 0.5 + 0.5 * random() }),
    ...(random() < 0.9 && { lostShare: 0.1 + 0.3 * random() }),
    ...(random() < 0.2 && { queueDown: true }),
  };
}

/**
 * Delivers until nothing is left: objects first, then, when what they rely on is back, what is to be tried again. What the table
 * still holds then is the sweep's. Answers with the table as it is at last.
 */
export async function settle(world: FaultWorld): Promise<TableSnapshot> {
  for (let call = 0; call < cleanCallsMax; call++) {
    const objects = world.queue.filter(({ about }) => about.kind !== "work");
    if (objects.length === 0) dependency.isDown = false;
    if (world.dead.length > 0)
      await world.drain(world.random() < 0.5 ? {} : { cutBefore: 1 + integer(world.random, 12) });
    if (world.queue.length > 0) {
      await world.process(objects.length === 0 ? world.receive() : take(world, objects.slice(0, 10)), {});
      continue;
    }
    const snapshot = await TableSnapshot.take(world.table.client, world.table.table);
    const left = [...snapshot.startingWith("P#"), ...snapshot.startingWith("B#")];
    if (left.length === 0 && world.dead.length === 0) return snapshot;
    FaultWorld.now += sweptMillis;
    await world.sweep({});
  }
  assert.fail(`messages are left: ${JSON.stringify(world.queue)}`);
}

function take(world: FaultWorld, messages: readonly Message[]): readonly Message[] {
  world.queue = world.queue.filter((message) => !messages.includes(message));
  return messages;
}

export function note({ kinds }: InjectedFaults, seen: Seen): void {
  for (const kind of kinds) seen(kind);
}

/** Garbage, gone and unreadable objects beside good ones; each event of S3 three times, in any order, keys encoded. */
async function messageRound(world: FaultWorld, round: number, seen: Seen): Promise<TableSnapshot> {
  const { random } = world;
  dependency.isDown = random() < 0.3;
  const stream = pick(random, ["keyed", "plain"]);
  world.copies = 3;
  const first = await world.accept(stream, randomEvents(random, 1 + integer(random, 3), round));
  seen("same event three times");
  world.copies = 1;
  await world.putFile(`inbox/default/plain/${oddName(random, round)}`, randomEvents(random, 2, round));
  seen("encoded key");
  const gone = await world.accept(stream, randomEvents(random, 2, round));
  await world.lose(gone);
  world.tellOf(`raw/${stream}/2026/01/01/never-there ${round}`);
  seen("object gone");
  for (const body of shuffled(random, garbage).slice(0, 3)) world.add(body, { kind: "garbage" });
  // Some have come before and failed: the sooner they are dead letters.
  for (const message of world.queue) message.receives = integer(random, 3);
  const keys = world.queue.flatMap(({ about }) => (about.kind === "object" ? about.key : []));
  await world.process(world.receive(), { unreadable: new Set(keys) });
  seen("all fail");
  await world.process(world.receive(), { unreadable: new Set([pick(random, [first, gone, ...keys])]) });
  seen("some of a batch fail");
  return settle(world);
}

const garbage = ["", "{", "[]", "7", '{"kind":"none"}', '{"detail-type":"Object Created"}', '{"Records":[{}]}'];

/** What S3 takes and a URL does not. */
export function oddName(random: Random, round: number): string {
  return `${round} ${shuffled(random, ["ä+b", "100%", "c d", "(1)", "&=", "日本", "'q'", "%2F"]).slice(0, 4).join(" ")}.json`;
}

/** Where a call is cut off, by the share of the calls that it would make. */
export const cuts = { "timeout at 10%": 0.1, "timeout at 50%": 0.5, "timeout at 90%": 0.9 } as const;

/** Calls that are cut off, that run beside one another, and that throw; a topic that takes nothing. */
async function callRound(world: FaultWorld, round: number, seen: Seen): Promise<TableSnapshot> {
  const { random } = world;
  dependency.isDown = random() < 0.5;
  const stream = pick(random, ["keyed", "plain"]);
  await world.accept(stream, randomEvents(random, 2 + integer(random, 3), round));
  for (const kind of Object.keys(cuts) as (keyof typeof cuts)[]) {
    if (world.queue.length === 0) continue;
    const messages = world.receive();
    const cutBefore = Math.max(1, Math.round(callsOf(world, messages.length) * cuts[kind]));
    if ((await world.process(messages, { cutBefore })).isCut) seen(kind);
  }
  if (world.queue.length > 0)
    note(await world.process(world.receive(), { throws: pick(random, ["before", "after"]) }), seen);
  FaultWorld.now += cooldownMillis;
  // Twice told; not at all.
  for (const copies of [2, 0]) {
    world.copies = copies;
    if (copies > 0 || random() < 0.3)
      await world.accept(pick(random, ["keyed", stream]), randomEvents(random, 2, round));
  }
  world.copies = 1;
  await world.accept("keyed", [unusualEvent(random)]);
  await world.processAtOnce(world.receive());
  seen("two deliveries at once");
  note(await world.sweep({ topicDown: true }), seen);
  await settle(world);
  FaultWorld.now += notifiedMillis;
  await world.sweep({});
  return settle(world);
}

function callsOf(world: FaultWorld, messages: number): number {
  return world.messagesTaken === 0 ? 15 * messages : (world.calls / world.messagesTaken) * messages;
}

interface Rounds {
  /** Kinds of faults that are met. */
  readonly kinds: readonly FaultKind[];
  /** Objects are in the emulator's S3, else in memory. */
  readonly isEmulated: boolean;
  readonly run: (world: FaultWorld, round: number, seen: Seen) => Promise<TableSnapshot>;
}

export const roundsOf = {
  table: { kinds: ["throttling", "unprocessed items", "lost reply"], isEmulated: false, run: tableRound },
  messages: {
    kinds: ["some of a batch fail", "all fail", "same event three times", "encoded key", "object gone"],
    isEmulated: true,
    run: messageRound,
  },
  calls: {
    kinds: [
      ...(Object.keys(cuts) as (keyof typeof cuts)[]),
      "two deliveries at once",
      "throwing handler",
      "notification fails",
    ],
    isEmulated: false,
    run: callRound,
  },
} as const satisfies Record<string, Rounds>;
