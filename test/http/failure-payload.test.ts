import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EventPulseError } from "../../src/model/error.ts";
import { jsonOf, problemOf, project, withApp } from "./app-harness.ts";
import { auditOf, brokenCustomer, brokenOrder, failedEvent, sendJson } from "./failed-events.ts";

const patch = [
  { op: "replace", path: "/age", value: 36 },
  { op: "replace", path: "/email", value: "bea@example.com" },
];

describe("the payload of a failure", () => {
  test(
    "has its personal fields masked unless somebody asks for them with a reason",
    withApp(async (app) => {
      const { id } = await failedEvent(app, "customers", brokenCustomer);
      const masked = await app.request(`/v1/failures/${id}/payload`);
      assert.equal(masked.headers.get("x-masked-fields"), "email, born");
      assert.deepEqual(await jsonOf(masked), { id: "c-1", email: "•••", born: { year: "•••" }, age: "old" });
      const silent = await app.request(`/v1/failures/${id}/payload?unmasked=true`);
      assert.equal(silent.status, 422);
      assert.equal((await problemOf(silent)).code, "REASON_MISSING");
      const whole = await app.request(`/v1/failures/${id}/payload?unmasked=true&reason=she%20asked`);
      assert.equal(whole.headers.get("x-masked-fields"), null);
      assert.deepEqual(await jsonOf(whole), brokenCustomer);
    }),
  );

  test(
    "comes byte for byte where nothing of the stream is personal",
    withApp(async (app) => {
      const { id } = await failedEvent(app, "orders", brokenOrder("o-1"));
      const response = await app.request(`/v1/failures/${id}/payload`);
      assert.equal(response.headers.get("x-masked-fields"), null);
      assert.equal(await response.text(), JSON.stringify(brokenOrder("o-1")));
      assert.equal((await auditOf(app))[0]?.details["masked"], false);
    }),
  );

  test(
    "is not shown when nobody can tell where its personal data is",
    withApp(async (app) => {
      await app.request("/v1/streams/customers/events", {
        method: "POST",
        body: '{"id":"c-1","email":"ann@example.com",\n{"id":"c-2"}\n',
        headers: { "content-type": "application/x-ndjson" },
      });
      await app.process();
      const { data } = await jsonOf<{ data: { id: string }[] }>(app.request("/v1/failures?contains=ann"));
      const path = `/v1/failures/${data[0]?.id}/payload`;
      const problem = await problemOf(await app.request(path));
      assert.equal(problem.code, "REASON_MISSING");
      assert.match(problem.detail, /unmasked=true/);
      assert.doesNotMatch(JSON.stringify(problem), /ann@/);
      assert.deepEqual(await auditOf(app), [], "nothing was seen");
      assert.match(await (await app.request(`${path}?unmasked=true&reason=x`)).text(), /ann@example\.com/);
    }),
  );

  test("of a stream that has left the config is not shown without a reason either", async () => {
    let current = project;
    await withApp(
      async (app) => {
        const { id } = await failedEvent(app, "customers", brokenCustomer);
        current = { ...project, streams: new Map() };
        assert.equal((await problemOf(await app.request(`/v1/failures/${id}/payload`))).code, "REASON_MISSING");
        assert.equal((await app.request(`/v1/failures/${id}/payload?unmasked=true&reason=x`)).status, 200);
      },
      { project: () => current },
    )();
  });

  test(
    "leaves an audit entry for every view, which says who saw which bytes and why",
    withApp(async (app) => {
      const { id, payloadSha256 } = await failedEvent(app, "customers", brokenCustomer);
      await app.request(`/v1/failures/${id}/payload`);
      await app.request(`/v1/failures/${id}/payload?unmasked=true&reason=she%20asked`, {
        headers: { authorization: "Bearer right" },
      });
      const entries = await auditOf(app, "?action=payload.view");
      assert.deepEqual(
        entries.map(({ actor, target, reason, hashBefore, details }) => [actor, target, reason, hashBefore, details]),
        [
          ["local", id, null, payloadSha256, { masked: true, edited: false }],
          ["key", id, "she asked", payloadSha256, { masked: false, edited: false }],
        ],
      );
    }),
  );

  for (const path of ["payload", "payload?unmasked=true&reason=x"]) {
    test(`is not given away at ${path} when its audit entry cannot be written`, async () => {
      const broken = new EventPulseError("NOT_DURABLE", "The disk is full.");
      await withApp(
        async (app) => {
          const { id } = await failedEvent(app, "customers", brokenCustomer);
          const response = await app.request(`/v1/failures/${id}/${path}`);
          assert.equal(response.status, 503);
          assert.doesNotMatch(await response.text(), /c-1|ann@/);
        },
        {
          audit: { append: () => Promise.reject(broken), query: () => Promise.reject(broken) },
        },
      )();
    });
  }

  test(
    "can be seen after its edit, masked in the same way",
    withApp(async (app) => {
      const { id, payloadSha256, version } = await failedEvent(app, "customers", brokenCustomer);
      const path = `/v1/failures/${id}/payload?edited=true`;
      const none = await app.request(path);
      assert.equal(none.status, 404);
      assert.equal((await problemOf(none)).code, "EDIT_UNKNOWN");
      await sendJson(app, "PATCH", `/v1/failures/${id}`, patch, { "if-match": `"${version}"` });
      assert.deepEqual(await jsonOf(app.request(path)), {
        ...brokenCustomer,
        email: "•••",
        born: { year: "•••" },
        age: 36,
      });
      const whole = await jsonOf<{ email: string }>(app.request(`${path}&unmasked=true&reason=x`));
      assert.equal(whole.email, "bea@example.com");
      const [entry] = await auditOf(app, "?action=payload.view");
      assert.deepEqual([entry?.hashBefore, entry?.details["edited"]], [payloadSha256, true]);
      assert.match(entry?.hashAfter ?? "", /^[0-9a-f]{64}$/);
    }),
  );

  test(
    "takes no other parameter and no other word",
    withApp(async (app) => {
      const { id } = await failedEvent(app, "customers", brokenCustomer);
      for (const [query, code] of [
        ["unmask=true", "PARAMETER_UNKNOWN"],
        ["unmasked=yes", "PARAMETER_INVALID"],
        ["unmasked=true&reason=", "PARAMETER_INVALID"],
        [`unmasked=true&reason=${"x".repeat(1001)}`, "PARAMETER_INVALID"],
      ] as const) {
        const response = await app.request(`/v1/failures/${id}/payload?${query}`);
        assert.equal(response.status, 400, query);
        assert.equal((await problemOf(response)).code, code, query);
      }
    }),
  );
});
