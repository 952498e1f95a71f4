import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jsonOf, type PageBody, problemOf, type TestApp, withApp } from "./app-harness.ts";

interface AnomalyBody {
  readonly id: string;
  readonly rule: string;
  readonly state: string;
  readonly note: string | null;
  readonly version: number;
  readonly value: number;
  readonly key: string;
  readonly incident: string;
  readonly severity: string;
}
interface EntryBody {
  readonly actor: string;
  readonly target: string;
  readonly reason: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

async function found(app: TestApp): Promise<AnomalyBody> {
  await app.send("orders", [
    { id: "o-1", total: 5000, country: "DE" },
    { id: "o-2", total: 1, country: "FR" },
  ]);
  await app.process();
  const { data } = await jsonOf<PageBody<AnomalyBody>>(app.request("/v1/anomalies"));
  assert.equal(data.length, 1);
  return data[0] as AnomalyBody;
}

function patch(app: TestApp, id: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return app.request(`/v1/anomalies/${id}`, {
    method: "PATCH",
    body: text,
    headers: { "content-type": "application/json", ...headers },
  });
}

describe("anomalies", () => {
  test(
    "are listed by every filter",
    withApp(async (app) => {
      const anomaly = await found(app);
      assert.deepEqual([anomaly.rule, anomaly.value, anomaly.key, anomaly.state], ["spend", 500_000, "DE", "open"]);
      assert.match(anomaly.incident, /^inc_[0-9a-f]{32}$/);
      const count = async (query: string) =>
        (await jsonOf<PageBody<AnomalyBody>>(app.request(`/v1/anomalies?${query}`))).data.length;
      for (const [query, expected] of [
        ["stream=orders", 1],
        ["stream=notes", 0],
        ["rule=spend", 1],
        ["rule=x", 0],
        ["state=open", 1],
        ["state=acknowledged", 0],
        [`incident=${anomaly.incident}`, 1],
        ["incident=inc_0", 0],
        ["severity=warning", 0],
        ["severity=critical", 1],
        ["from=2001-01-01T00:00:00Z", 1],
        ["to=2001-01-01T00:00:00Z", 0],
      ] as const) {
        assert.equal(await count(query), expected, query);
      }
    }),
  );

  test(
    "keep what a change leaves out",
    withApp(async (app) => {
      const { id } = await found(app);
      const noted = await jsonOf<AnomalyBody>(patch(app, id, { note: "looked at" }));
      assert.deepEqual([noted.state, noted.note], ["open", "looked at"]);
      const acknowledged = await jsonOf<AnomalyBody>(patch(app, id, { state: "false-positive" }));
      assert.deepEqual([acknowledged.state, acknowledged.note], ["false-positive", "looked at"]);
      assert.equal((await jsonOf<AnomalyBody>(patch(app, id, { note: null }))).note, null);
    }),
  );

  test(
    "leave an audit entry for each change, with the note as its reason and what it means for the rule",
    withApp(async (app) => {
      const { id } = await found(app);
      await patch(app, id, { state: "false-positive", note: "a sale" });
      await patch(app, id, { note: null });
      await patch(app, id, { state: "open" });
      const { data } = await jsonOf<PageBody<EntryBody>>(app.request("/v1/audit?action=anomaly.change"));
      const change = (before: string, after: string, from: number, to: number) => ({
        ...{ rule: "spend", before, after, falsePositivesBefore: from, falsePositivesAfter: to },
      });
      assert.deepEqual(
        data.map(({ target, reason, details }) => [target, reason, details]),
        [
          [id, "a sale", change("open", "false-positive", 0, 1)],
          [id, null, change("false-positive", "false-positive", 1, 1)],
          [id, null, change("false-positive", "open", 1, 0)],
        ],
      );
    }),
  );

  test(
    "are changed only at the version that If-Match names",
    withApp(async (app) => {
      const { id } = await found(app);
      const etag = (await app.request(`/v1/anomalies/${id}`)).headers.get("etag") ?? "";
      const changed = await patch(app, id, { state: "acknowledged" }, { "if-match": etag });
      assert.equal(changed.status, 200);
      assert.notEqual(changed.headers.get("etag"), etag);
      const stale = await patch(app, id, { state: "open" }, { "if-match": etag });
      assert.equal(stale.status, 412);
      assert.equal((await problemOf(stale)).code, "ETAG_STALE");
    }),
  );

  test(
    "take every one of many changes at once when no version is asked for",
    withApp(async (app) => {
      const { id, version } = await found(app);
      const answers = await Promise.all(["a", "b", "c"].map((note) => patch(app, id, { note })));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200],
      );
      const { version: after } = await jsonOf<AnomalyBody>(app.request(`/v1/anomalies/${id}`));
      assert.equal(after, version + 3);
    }),
  );

  for (const [what, body, status, code, pointer] of [
    ["an unknown state", { state: "closed" }, 422, "BODY_INVALID", "/state"],
    ["an unknown member", { state: "open", owner: "me" }, 422, "BODY_INVALID", "/owner"],
    ["nothing to change", {}, 422, "BODY_INVALID", ""],
    ["a note that is too long", { note: "x".repeat(1001) }, 422, "BODY_INVALID", "/note"],
    ["no object", "[]", 422, "BODY_INVALID", ""],
    ["no JSON", "{", 400, "JSON_INVALID", undefined],
    ["nothing", "", 400, "BODY_EMPTY", undefined],
    ["too much", JSON.stringify({ note: "x".repeat(70_000) }), 413, "BODY_TOO_LARGE", undefined],
  ] as const) {
    test(
      `refuse a change that is ${what}`,
      withApp(async (app) => {
        const { id } = await found(app);
        const response = await patch(app, id, body);
        assert.equal(response.status, status);
        const problem = await problemOf(response);
        assert.equal(problem.code, code);
        assert.equal(problem.errors[0]?.pointer, pointer);
      }),
    );
  }

  test(
    "refuse a change in another form",
    withApp(async (app) => {
      const { id } = await found(app);
      assert.equal(
        (await problemOf(await patch(app, id, { state: "open" }, { "content-type": "text/plain" }))).code,
        "CONTENT_TYPE_UNSUPPORTED",
      );
      assert.equal(
        (await problemOf(await patch(app, id, { state: "open" }, { "content-encoding": "gzip" }))).code,
        "ENCODING_UNSUPPORTED",
      );
    }),
  );

  test(
    "that are not there are 404",
    withApp(async (app) => {
      assert.equal((await problemOf(await app.request("/v1/anomalies/anom_0"))).code, "ANOMALY_UNKNOWN");
      assert.equal((await problemOf(await patch(app, "anom_0", { state: "open" }))).code, "ANOMALY_UNKNOWN");
    }),
  );
});
