import { pointerParts } from "../pipeline/process/json-pointer.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What a JSON Schema says of a dotted path. `missing`: it names the fields of that object, this is none of them (`known` are), and
 * it does not allow for others explicitly. `found`: the schema of the field. `open`: it cannot be told (unions, records, references to elsewhere).
 */
export type KnownField =
  | { readonly is: "open" }
  | { readonly is: "missing"; readonly known: readonly string[] }
  | { readonly is: "found"; readonly schema: JsonSchema };

export function knownField(root: JsonSchema, path: string): KnownField {
  let schema: JsonSchema = root;
  const passed: string[] = [];
  for (const name of path.split(".")) {
    schema = followed(schema, root);
    const fields = schema["properties"];
    if (!isSchema(fields)) return { is: "open" };
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      const others = schema["additionalProperties"] !== undefined && schema["additionalProperties"] !== false;
      const combined = ["allOf", "anyOf", "oneOf", "patternProperties"].some((keyword) => keyword in schema);
      if (others || combined) return { is: "open" };
      return { is: "missing", known: Object.keys(fields).map((known) => [...passed, known].join(".")) };
    }
    if (!isSchema(field)) return { is: "open" };
    passed.push(name);
    schema = field;
  }
  return { is: "found", schema: followed(schema, root) };
}

/** Types that the schema of a field allows, null left out; empty when it does not say. */
export function fieldTypes(schema: JsonSchema): readonly string[] {
  if (Array.isArray(schema["enum"])) return [...new Set(schema["enum"].map((value) => typeof value))];
  const { type } = schema;
  return (Array.isArray(type) ? type : [type]).filter((one) => typeof one === "string" && one !== "null");
}

function followed(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const reference = schema["$ref"];
  if (typeof reference !== "string" || !reference.startsWith("#")) return schema;
  let target: unknown = root;
  for (const part of pointerParts(reference.slice(1))) target = isSchema(target) ? target[part] : undefined;
  return isSchema(target) && target !== schema ? target : {};
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
