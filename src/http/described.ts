import * as z from "zod";

/**
 * What the OpenAPI document says of schemas besides their shape. A registry of our own: configs run in the same process and
 * may register the same names in zod's global one.
 */
export const schemaNotes = z.registry<Record<string, unknown>>();

/** Gives a schema its description, and what the document should say of it where zod cannot tell (`type`, `format`). */
export function described<Schema extends z.ZodType>(
  description: string,
  schema: Schema,
  more: Readonly<Record<string, unknown>> = {},
): Schema {
  schemaNotes.add(schema, { description, ...more });
  return schema;
}

/** Makes a schema a component of the document, referred to by name. */
export function named<Schema extends z.ZodType>(id: string, description: string, schema: Schema): Schema {
  schemaNotes.add(schema, { id, description });
  return schema;
}

/** A time in answers. */
export const timeText = (description: string) =>
  described(`${description} RFC 3339, UTC, with milliseconds.`, z.string(), { format: "date-time" });

/** A list in answers: `{data, page}`. */
export function pageOf<Row extends z.ZodType>(id: string, description: string, row: Row) {
  const page = z.object({
    next: described("Cursor of the next page; null on the last.", z.string().nullable()),
    limit: described("Rows asked for at most.", z.int()),
  });
  return named(id, description, z.object({ data: z.array(row), page }));
}
