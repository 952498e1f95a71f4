/** What JSON knows. */
export const shapes = ["null", "boolean", "number", "string", "array", "object"] as const;
export type Shape = (typeof shapes)[number];

/** Deeper fields are not looked at, as in the paths that a config names. */
const depthMax = 5;
/** An object with more names is a map: its names are data. */
const namesMax = 40;
/** Longer names are data, too. */
const pathCharactersMax = 80;
/** Fields of one record that are looked at. */
const fieldsMax = 200;

/** Each field of a record by its dotted path, and its shape; lists are not entered. In the order of the record, parents first. */
export function fieldShapes(record: Readonly<Record<string, unknown>>): ReadonlyMap<string, Shape> {
  const found = new Map<string, Shape>();
  enter(record, "", 1, found);
  return found;
}

function enter(object: object, prefix: string, depth: number, found: Map<string, Shape>): void {
  const entries = Object.entries(object);
  if (entries.length > namesMax) return;
  for (const [name, value] of entries) {
    const path = prefix + name;
    if (path.length > pathCharactersMax || found.size >= fieldsMax) continue;
    const shape = shapeOf(value);
    if (shape === null) continue;
    found.set(path, shape);
    if (shape === "object" && depth < depthMax) enter(value as object, `${path}.`, depth + 1, found);
  }
}

/** Null: JSON would leave it out. */
function shapeOf(value: unknown): Shape | null {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "boolean" || type === "number" || type === "string" || type === "object" ? type : null;
}
