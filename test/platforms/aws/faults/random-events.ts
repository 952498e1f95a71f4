import { hash } from "node:crypto";
import { type FaultEventKind, kinds } from "./fault-config.ts";

export type Random = () => number;

export function integer(random: Random, below: number): number {
  return Math.floor(random() * below);
}

export function pick<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[integer(random, values.length)];
  if (value === undefined) throw new Error("there is something to pick from");
  return value;
}

export function shuffled<Value>(random: Random, values: readonly Value[]): Value[] {
  return values
    .map((value) => ({ value, place: random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ value }) => value);
}

/** Ids that events of several objects have in common. */
const sharedIds = 6;
let made = 0;

/** Events of all sorts: good, dropped, multiplied, failing for a while or for ever, invalid, and in keyed streams again and with other content. */
export function randomEvents(random: Random, count: number, round: number): readonly unknown[] {
  return Array.from({ length: count }, () => {
    if (random() < 0.08)
      return pick<unknown>(random, [7, { id: `bad ${round}`, kind: "store" }, { id: "bad", value: "no" }]);
    if (random() < 0.3) return sharedEvent(random, `shared ${round % 3} ${integer(random, sharedIds)}`);
    return eventOf(`event ${++made}`, kindOf(random()), random);
  });
}

/** Events of one sort, for batches of 25 writes. */
export function plainEvents(random: Random, count: number): readonly unknown[] {
  return Array.from({ length: count }, () => eventOf(`event ${++made}`, "store", random));
}

/** One that owners are told of: a sensor of its own makes it an incident of its own. */
export function unusualEvent(random: Random): unknown {
  const number = ++made;
  return { ...eventOf(`event ${number}`, "store", random), value: 950, sensor: `alarm ${number}` };
}

/** Its content follows from its id, but for one in four. */
function sharedEvent(random: Random, id: string): unknown {
  const digest = hash("sha1", id, "hex");
  const kind = kinds[Number.parseInt(digest.slice(0, 2), 16) % 3] ?? "store";
  const value = Number.parseInt(digest.slice(2, 5), 16) % 1000;
  return { id, kind, value: random() < 0.25 ? integer(random, 1000) : value, sensor: "s0" };
}

function eventOf(id: string, kind: FaultEventKind, random: Random) {
  const sensor = `s${integer(random, 3)}`;
  return { id, kind, value: random() < 0.1 ? 900 + integer(random, 99) : integer(random, 60), sensor };
}

function kindOf(share: number): FaultEventKind {
  if (share < 0.02) return "dead";
  if (share < 0.1) return "flaky";
  if (share < 0.2) return "drop";
  return share < 0.35 ? "many" : "store";
}
