type Json = Readonly<Record<string, unknown>>;

/**
 * The OpenAPI 3.0.1 document that API Gateway imports, from the 3.1 one: it takes no 3.1. It says what requests look like; of
 * answers, which the function gives as they are, only that there are any. `infra/` adds where requests go.
 */
export function gatewayDocument(document: object): object {
  const { info, paths, components } = document as { info: Json; paths: Record<string, Json>; components: Json };
  const used = new Set<string>();
  const converted = Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [
      path,
      Object.fromEntries(
        Object.entries(item).map(([method, operation]) => [method, operationOf(operation as Json, used)]),
      ),
    ]),
  );
  const { title, version, description } = info;
  return {
    openapi: "3.0.1",
    info: { title, version, description },
    paths: converted,
    components: { schemas: schemasOf((components["schemas"] ?? {}) as Json, used) },
  };
}

function operationOf(operation: Json, used: Set<string>): Json {
  const { operationId, summary, parameters = [], requestBody } = operation;
  return {
    operationId,
    summary,
    parameters: (parameters as readonly Json[]).filter(isPlain).map(({ name, in: place, required, description }) => ({
      ...{ name, in: place, required, description },
      schema: { type: "string" },
    })),
    ...(requestBody === undefined ? {} : { requestBody: bodyOf(requestBody as Json, used) }),
    responses: { default: { description: "See the OpenAPI 3.1 document at /openapi.json." } },
  };
}

/** `where[field][operator]` has names that no document can list. */
function isPlain({ style }: Json): boolean {
  return style === undefined;
}

function bodyOf({ required, content }: Json, used: Set<string>): Json {
  const types = Object.entries(content as Readonly<Record<string, Json>>).map(([type, { schema }]) => [
    type,
    // Only bodies that are always JSON are checked: what else is taken has no schema that API Gateway could use.
    type === "application/json" ? { schema: schemaOf(schema, used) } : {},
  ]);
  return { required, content: Object.fromEntries(types) };
}

/** Those that are referred to, and what they refer to in turn. API Gateway's models have names of letters and digits. */
function schemasOf(schemas: Json, used: Set<string>): Json {
  const converted: Record<string, unknown> = {};
  for (const name of used) converted[modelName(name)] = schemaOf(schemas[name], used);
  return converted;
}

function modelName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, "");
}

/** Words that both JSON Schema 2020-12 and the draft 4 of OpenAPI 3.0 have in one sense. */
const sameWords = new Set([
  ...["title", "description", "enum", "required", "additionalProperties", "properties", "items"],
  ...["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "pattern"],
  ...["minProperties", "maxProperties", "multipleOf"],
]);

/** What cannot be said in OpenAPI 3.0 is left out: API Gateway lets it pass, and the function looks at it. */
function schemaOf(schema: unknown, used: Set<string>): Json {
  if (typeof schema !== "object" || schema === null) return {};
  const words = schema as Json;
  if (typeof words["$ref"] === "string") {
    const name = words["$ref"].slice(words["$ref"].lastIndexOf("/") + 1);
    used.add(name);
    return { $ref: `#/components/schemas/${modelName(name)}` };
  }
  const converted: Record<string, unknown> = {};
  for (const [word, value] of Object.entries(words)) {
    if (!sameWords.has(word)) continue;
    if (word === "properties") converted[word] = mapped(value, used);
    else if (word === "items") converted[word] = schemaOf(value, used);
    else if (word === "additionalProperties")
      converted[word] = typeof value === "boolean" ? value : schemaOf(value, used);
    // Numbers past what a model's integers hold say nothing.
    else if ((word === "minimum" || word === "maximum") && Math.abs(Number(value)) > 2 ** 31) continue;
    else converted[word] = value;
  }
  if (words["const"] !== undefined && words["const"] !== null) converted["enum"] = [words["const"]];
  return { ...converted, ...typeOf(words, used) };
}

function mapped(schemas: unknown, used: Set<string>): Json {
  return Object.fromEntries(Object.entries(schemas as Json).map(([name, schema]) => [name, schemaOf(schema, used)]));
}

/** `null` among the types is `nullable`; several others are no type at all. */
function typeOf({ type, anyOf, oneOf, allOf }: Json, used: Set<string>): Json {
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  const named = types.filter((one) => one !== "null");
  const typed = named.length === 1 ? { type: named[0], ...(types.includes("null") && { nullable: true }) } : {};
  const either = [anyOf, oneOf].find(Array.isArray) as readonly Json[] | undefined;
  const variants = either?.filter((one) => one["type"] !== "null");
  if (either !== undefined && variants?.length === 1 && variants.length < either.length) {
    return { ...typed, nullable: true, ...schemaOf(variants[0], used) };
  }
  if (Array.isArray(allOf)) return { ...typed, allOf: allOf.map((one) => schemaOf(one, used)) };
  return typed;
}
