import type { SimulatorDefinition, StreamDefinition } from "../../model/definition.ts";
import { fieldPath } from "../process/field-path.ts";
import { fitNumber } from "./simulate-number.ts";
import { type Random, seededRandom } from "./simulate-random.ts";
import { type JsonSchema, type MadeNumber, resolve, simulateValue } from "./simulate-value.ts";

/** One beat of the simulator's schedule. */
export interface Tick {
  readonly index: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** How old a late event may be. */
const lateMillisMax = 3_600_000;

/**
 * The events of one tick: `definition.count` plausible ones, made from the stream's JSON Schema (input side), their times
 * spread over the interval that ends now. The same definition, schema and tick give the same events.
 *
 * Faults, each with its own probability per event:
 * - `invalid`: one field is missing or has a wrong type, so the contract refuses it.
 * - `duplicate`: the event comes a second time, exactly; there are then more than `count` events.
 * - `late`: the field of the stream's `time` is up to an hour old. Nothing when the stream names none.
 * - `spike`: one number is ten times as large, or as large as the contract allows; the event stays valid.
 *
 * All others satisfy the JSON Schema; refinements that a schema adds in code are not known here.
 */
export function simulateEvents(
  definition: SimulatorDefinition,
  jsonSchema: JsonSchema,
  stream: StreamDefinition,
  tick: Tick,
): { readonly events: readonly unknown[] } {
  const { count, everyMillis, faults } = definition;
  const events: unknown[] = [];
  for (let index = 0; index < count; index += 1) {
    const random = seededRandom(definition.seed, tick.index, tick.now, index);
    // Chances are drawn first and always, so that changing one probability leaves the other faults where they were.
    const invalid = random.chance(faults.invalid);
    const duplicate = random.chance(faults.duplicate);
    const late = random.chance(faults.late);
    const spike = random.chance(faults.spike);
    const onTime = tick.now - Math.floor(((count - 1 - index) * everyMillis) / count);
    const time = late && stream.time !== null ? tick.now - random.integer(1, lateMillisMax) : onTime;
    const numbers: MadeNumber[] = [];
    const context = { root: jsonSchema, random, time, keyPath: stream.key, timePath: stream.time, numbers };
    let event = simulateValue(jsonSchema, [], context);
    if (spike) spikeOne(event, numbers, random);
    if (invalid) event = breakOne(event, jsonSchema, stream, random);
    events.push(event);
    if (duplicate) events.push(structuredClone(event));
  }
  return { events };
}

function spikeOne(event: unknown, numbers: readonly MadeNumber[], random: Random): void {
  const [first, ...others] = numbers.filter(({ path }) => numberAt(event, path) !== 0);
  if (first === undefined) return;
  const { path, rules } = random.pick([first, ...others]);
  const parent = parentOf(event, path);
  const name = path.at(-1) ?? "";
  if (parent !== null) Reflect.set(parent, name, fitNumber(numberAt(event, path) * 10, rules));
}

/** Removes a required field or gives it a value of a wrong type. Fields of one plain type are preferred: there nothing else fits. */
function breakOne(event: unknown, root: JsonSchema, stream: StreamDefinition, random: Random): unknown {
  if (typeof event !== "object" || event === null || Array.isArray(event)) return { broken: true };
  const schema = resolve(root, { root });
  const { properties, required } = schema;
  const fields = typeof properties === "object" && properties !== null ? properties : {};
  const names = Array.isArray(required) ? required.map(String) : [];
  const typed = names.filter(
    (name) => typeof Reflect.get(resolve(Reflect.get(fields, name), { root }), "type") === "string",
  );
  // The identity and the time are broken only when there is nothing else, so that most failures can be told apart.
  const special = new Set([stream.key, stream.time].map((path) => (path === null ? null : fieldPath(path)[0])));
  const ordinary = typed.filter((name) => !special.has(name));
  const [name, ...more] = [ordinary, typed, names, Object.keys(event)].find((list) => list.length > 0) ?? [];
  if (name === undefined) return event;
  const broken = random.pick([name, ...more]);
  const optional = Object.entries(event).filter(([other]) => other !== broken);
  if (names.includes(broken) && random.chance(0.5)) return Object.fromEntries(optional);
  const before: unknown = Reflect.get(event, broken);
  const wrong = typeof before === "string" ? [null, { text: before }] : ["n/a", { value: before }];
  return Object.fromEntries([...optional, [broken, random.pick([wrong[0], ...wrong.slice(1)])]]);
}

function numberAt(event: unknown, path: readonly string[]): number {
  const parent = parentOf(event, path);
  const value: unknown = parent === null ? 0 : Reflect.get(parent, path.at(-1) ?? "");
  return typeof value === "number" ? value : 0;
}

function parentOf(event: unknown, path: readonly string[]): object | null {
  let current: unknown = event;
  for (const part of path.slice(0, -1)) {
    current = typeof current === "object" && current !== null ? Reflect.get(current, part) : null;
  }
  return typeof current === "object" ? current : null;
}
