import assert from "node:assert/strict";
import { test } from "node:test";
import { apiDocument } from "../../src/http/create-app.ts";
import { gatewayDocument } from "../../src/http/gateway-document.ts";

type Json = Readonly<Record<string, unknown>>;
const document = gatewayDocument(apiDocument("1.2.3")) as Json;

/** Every object in the document. */
function* objectsIn(value: unknown): Generator<Json> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield value as Json;
  for (const child of Object.values(value)) yield* objectsIn(child);
}

test("the document for API Gateway says nothing that only OpenAPI 3.1 can say", () => {
  assert.equal(document["openapi"], "3.0.1");
  for (const one of objectsIn(document)) {
    assert.ok(!Array.isArray(one["type"]) && one["type"] !== "null", JSON.stringify(one));
    for (const word of ["const", "anyOf", "oneOf", "$defs", "examples", "prefixItems", "propertyNames"]) {
      assert.ok(!(word in one) || typeof one[word] !== "object", `${word} in ${JSON.stringify(one).slice(0, 200)}`);
    }
  }
});

test("it has every operation, and every schema that it refers to", () => {
  const whole = apiDocument("1.2.3") as { paths: Readonly<Record<string, Json>> };
  const paths = document["paths"] as Readonly<Record<string, Json>>;
  assert.deepEqual(Object.keys(paths), Object.keys(whole.paths));
  for (const [path, item] of Object.entries(whole.paths)) {
    assert.deepEqual(Object.keys(paths[path] ?? {}), Object.keys(item));
  }
  const { schemas } = document["components"] as { schemas: Json };
  for (const { $ref: reference } of objectsIn(document)) {
    if (typeof reference !== "string") continue;
    const name = reference.replace("#/components/schemas/", "");
    assert.match(name, /^[A-Za-z0-9]+$/);
    assert.ok(name in schemas, name);
  }
});

test("bodies that may be something else than JSON are not checked by it", () => {
  const paths = document["paths"] as Readonly<Record<string, Readonly<Record<string, Json>>>>;
  const { content } = paths["/v1/streams/{stream}/events"]?.["post"]?.["requestBody"] as { content: Json };
  assert.ok(Object.keys(content).length > 1);
});
