import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { errorCodes } from "../../src/model/error.ts";
import { jsonOf, startApp, withApp } from "./app-harness.ts";

interface Media {
  readonly schema: Record<string, unknown>;
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value: unknown }>;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly { name: string; in: string; description?: string; required: boolean; schema: object }[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, { readonly description: string; readonly content?: Record<string, Media> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
}

describe("the OpenAPI document", () => {
  let document: Document;
  let operations: readonly string[];
  before(async () => {
    const app = await startApp();
    document = structuredClone(app.app.openApi()) as Document;
    operations = app.app.operations();
    await app.close();
  });
  const each = () =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
    );

  test("has every operation of the router, and the router every operation of it", () => {
    assert.deepEqual(
      each()
        .map(({ name }) => name)
        .toSorted(),
      operations.toSorted(),
    );
    assert.ok(operations.length > 20);
  });

  test(
    "is 3.1, and served as it is",
    withApp(async (app) => {
      assert.match(document.openapi, /^3\.1\./);
      assert.deepEqual(await jsonOf(app.request("/openapi.json")), JSON.parse(JSON.stringify(document)));
    }),
  );

  test("names each operation once, with a summary, a tag and described parameters", () => {
    const ids = each().map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { name, path, operation } of each()) {
      assert.match(operation.operationId, /^[a-z][A-Za-z]+$/, name);
      assert.ok(operation.summary.length > 0 && operation.tags.length === 1, name);
      for (const parameter of operation.parameters) {
        assert.ok((parameter.description ?? "").length > 0, `${name} ${parameter.name}`);
        assert.ok(Object.keys(parameter.schema).length > 0, `${name} ${parameter.name} has no type`);
      }
      const inPath = operation.parameters
        .filter((parameter) => parameter.in === "path")
        .map((parameter) => parameter.name);
      assert.deepEqual(
        inPath,
        [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
        name,
      );
    }
  });

  test("has an example for every body, and each fits its schema", () => {
    const ajv = new Ajv2020({
      strict: false,
      allErrors: true,
      formats: { "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, uri: true },
    });
    ajv.addSchema(document, "document");
    let checked = 0;
    for (const { name, operation } of each()) {
      const bodies = Object.entries(operation.responses).map(([status, { content }]) => [status, content] as const);
      for (const [status, content] of [...bodies, ["request", operation.requestBody?.content] as const]) {
        for (const [type, media] of Object.entries(content ?? {})) {
          const examples = media.examples ? Object.values(media.examples).map(({ value }) => value) : [media.example];
          const validate = ajv.compile(
            JSON.parse(JSON.stringify(media.schema).replaceAll('"#/', '"document#/')) as object,
          );
          for (const example of examples) {
            assert.notEqual(example, undefined, `${name} ${status} ${type} has no example`);
            assert.ok(validate(example), `${name} ${status} ${type}: ${ajv.errorsText(validate.errors)}`);
            checked++;
          }
        }
      }
    }
    assert.ok(checked > 200, `${checked} examples`);
  });

  test("refers only to what is there, and holds nothing that nobody refers to", () => {
    const text = JSON.stringify(document);
    const references = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? ""));
    for (const reference of references) {
      const target = reference
        .slice(2)
        .split("/")
        .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], document);
      assert.ok(reference.startsWith("#/components/") && typeof target === "object" && target !== null, reference);
    }
    for (const name of Object.keys(document.components.schemas))
      assert.ok(references.has(`#/components/schemas/${name}`), name);
  });

  test("has problem details for every status from 400 on but the health check's own", () => {
    for (const { name, operation } of each()) {
      for (const [status, response] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue;
        const types = Object.keys(response.content ?? {});
        const own = name === "GET /health/ready" && status === "503";
        assert.deepEqual(types, [own ? "application/json" : "application/problem+json"], `${name} ${status}`);
      }
    }
  });

  test("gives each problem under the status of its code", () => {
    for (const { name, operation } of each()) {
      for (const [status, response] of Object.entries(operation.responses)) {
        const examples = response.content?.["application/problem+json"]?.examples ?? {};
        for (const code of Object.keys(examples)) {
          assert.equal(String(errorCodes[code as keyof typeof errorCodes].status), status, `${name} ${code}`);
        }
      }
    }
  });
});
