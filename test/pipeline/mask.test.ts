import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { maskedPayload, maskPersonal } from "../../src/pipeline/failures/mask.ts";

describe("maskPersonal", () => {
  test("masks scalars at and below personal fields, passes through lists, and leaves the rest", () => {
    const data = {
      id: 1,
      email: "a@b.c",
      people: [{ email: "x@y.z", age: 5 }, { email: null }],
      site: { name: "n", geo: [1, { at: true }] },
    };
    assert.deepEqual(maskPersonal(data, ["email", "people.email", "site", "not.there"]), {
      id: 1,
      email: "•••",
      people: [{ email: "•••", age: 5 }, { email: null }],
      site: { name: "•••", geo: ["•••", { at: "•••" }] },
    });
  });

  test("masks a scalar where the path expects more: what failed is often shaped wrongly", () => {
    assert.deepEqual(maskPersonal({ person: "a@b.c" }, ["person.email"]), { person: "•••" });
    assert.deepEqual(maskPersonal("a@b.c", ["person.email"]), "•••");
    assert.deepEqual(maskPersonal(["a@b.c", { person: 5 }], ["person.email"]), ["•••", { person: "•••" }]);
  });

  test("changes nothing when nothing is personal, never its input, and takes __proto__ for data", () => {
    const text = '{"__proto__":{"email":"a@b.c","n":1},"constructor":"c"}';
    const data: unknown = JSON.parse(text);
    assert.equal(maskPersonal(data, []), data);
    const masked = maskPersonal(data, ["__proto__.email"]);
    assert.equal(JSON.stringify(masked), '{"__proto__":{"email":"•••","n":1},"constructor":"c"}');
    assert.equal(Object.getPrototypeOf(masked), Object.prototype);
    assert.equal(JSON.stringify(data), text);
  });

  test("lets no personal text through, whatever the shape around it", () => {
    const secret = "s3cr3t-value";
    const inner = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constant(secret),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", "__proto__"), tie("value"), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(inner, fc.boolean(), (personal, listed) => {
        const data = { id: 1, who: listed ? [{ mail: personal }] : { mail: personal } };
        const masked = JSON.stringify(maskPersonal(data, ["who.mail"]));
        assert(!masked.includes(secret), masked);
        assert(masked.startsWith('{"id":1,'));
      }),
    );
  });
});

describe("maskedPayload", () => {
  const shown = (payload: string | Uint8Array, type: string, pii: readonly string[]) => {
    const bytes = maskedPayload(Buffer.from(payload), type, pii);
    return bytes === null ? null : Buffer.from(bytes).toString();
  };

  test("is the payload as sent when nothing is personal, whatever it is", () => {
    for (const payload of ["{ not json", "a,b", '{ "a": 1.0 }']) assert.equal(shown(payload, "text/csv", []), payload);
  });

  test("masks the event, of a CloudEvent its data", () => {
    assert.equal(shown('{ "mail": "a@b.c", "n": 1 }', "application/json", ["mail"]), '{"mail":"•••","n":1}');
    const envelope = '{"id":"1","mail":"not data","data":{"mail":"a@b.c","n":1}}';
    const type = "application/cloudevents+json; charset=utf-8";
    assert.equal(shown(envelope, type, ["mail"]), '{"id":"1","mail":"not data","data":{"mail":"•••","n":1}}');
    assert.equal(shown('{"id":"1","data_base64":"YUBiLmM="}', type, ["mail"]), '{"id":"1","data_base64":"•••"}');
  });

  test("shows nothing when personal data cannot be told from the rest", () => {
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    for (const payload of ['{"mail":"a@b.c"', "", Buffer.from([0x22, 0xff, 0x22]), deep])
      assert.equal(shown(payload, "application/json", ["mail"]), null);
    assert.equal(shown("5", "text/csv; header=present", ["mail"]), null);
    assert.equal(shown('{"a":1}\n{"mail":"a@b.c"}', "application/x-ndjson", ["mail"]), null);
  });
});
