import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect } from "../../../src/client/connection.ts";
import { live } from "../../../src/client/live.ts";
import {
  eventually,
  expectProblem,
  type FailureRow,
  type HttpCalls,
  isoTime,
  type NotificationRow,
  otherTenants,
  type Platform,
  type RecordRow,
  type Running,
} from "../running.ts";

const config = `
import { alert, anomaly, defineConfig, email, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string(), total: z.number() });
const orders = stream({ schema, key: "id" });
const high = anomaly(orders, { value: "total", detect: { range: { high: 100 } } });
export default defineConfig({
  name: "separation",
  streams: { orders },
  anomalies: { high },
  alerts: [alert({ on: high, to: [email("ops@example.com")], cooldown: "1h" })],
});
`;

interface IdRow {
  readonly id: string;
}
interface StreamRow {
  readonly rates: { readonly lastDay: number };
  readonly fields: Readonly<Record<string, { readonly count: number }>>;
  readonly samples: readonly unknown[];
}
interface Link extends IdRow {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}
interface JobRow {
  readonly finishedAt: string | null;
}
interface Plan {
  readonly items: number;
}

/** How much of each thing a tenant is shown. */
async function shown(calls: HttpCalls) {
  const day = 24 * 60 * 60 * 1000;
  const range = new URLSearchParams({
    field: "total",
    from: isoTime(Date.now() - day),
    to: isoTime(Date.now() + day),
    points: "1",
  });
  type Series = { readonly points: readonly { readonly count: number }[]; readonly anomalies: readonly unknown[] };
  const series = await calls.get<Series>(`/v1/streams/orders/series?${range}`);
  const { rates, fields, samples } = await calls.get<StreamRow>("/v1/streams/orders");
  const { accepted } = await calls.balance("orders");
  const count = async (path: string) => (await calls.list(path)).length;
  return {
    accepted,
    records: await count("/v1/streams/orders/records"),
    counted: series.points.reduce((sum, point) => sum + point.count, 0),
    marked: series.anomalies.length,
    lastDay: rates.lastDay,
    values: fields["total"]?.count ?? 0,
    samples: samples.length,
    failures: await count("/v1/failures"),
    issues: await count("/v1/issues"),
    anomalies: await count("/v1/anomalies"),
    notifications: await count("/v1/notifications"),
    jobs: await count("/v1/jobs"),
    views: await count("/v1/audit?action=payload.view"),
    sent: await count("/v1/streams/orders/events?reason=test"),
  };
}

const nothing = {
  ...{ accepted: 0, records: 0, counted: 0, marked: 0, lastDay: 0, values: 0, samples: 0, failures: 0, issues: 0 },
  ...{ anomalies: 0, notifications: 0, jobs: 0, views: 0, sent: 0 },
};

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { "content-type": "application/json", "if-match": "*" },
  body: JSON.stringify(body),
});

export function tenantSeparationScenarios(platform: Platform): void {
  describe("tenant separation", { concurrency: false }, () => {
    let running: Running;
    let [acme, globex]: [HttpCalls, HttpCalls] = [] as never;
    const firstOf = async <Row extends IdRow>(calls: HttpCalls, path: string): Promise<Row> => {
      const [row] = await calls.list<Row>(path);
      assert.ok(row !== undefined, `nothing in ${path}`);
      return row;
    };
    const plan = async (calls: HttpCalls, select: object): Promise<number> => {
      const response = await calls.request("/v1/replays", json("POST", { select, mode: "plan" }));
      assert.equal(response.status, 200);
      return ((await response.json()) as Plan).items;
    };

    before(async () => {
      running = await platform.start(config);
      [acme, globex] = [running.of("acme"), running.of("globex")];
      await acme.send("orders", [{ id: "a", total: 1 }]);
      await acme.send("orders", [
        { id: "b", total: "wrong" },
        { id: "c", total: 500 },
      ]);
      await acme.settled();
    });
    after(() => running.close());

    test("a key says whose it is, and a wrong one is nobody's", async () => {
      for (const tenant of otherTenants) {
        assert.deepEqual(await running.of(tenant).get("/v1/me"), { name: "key", tenant });
      }
      assert.equal((await running.get<{ tenant: string }>("/v1/me")).tenant, "default");
      const headers = { authorization: "Bearer the-key-of-nobody" };
      await expectProblem(await running.request("/v1/me", { headers }), 401, "KEY_INVALID");
    });

    test("what a tenant sends is seen by it, and by nobody else", async () => {
      const { id } = await firstOf<FailureRow>(acme, "/v1/failures");
      assert.equal((await acme.request(`/v1/failures/${id}/payload`)).status, 200);
      const started = await acme.request(
        "/v1/replays",
        json("POST", { select: { filter: { state: "quarantined" } }, mode: "dry-run" }),
      );
      assert.equal(started.status, 202);
      const location = started.headers.get("location") ?? "";
      await eventually(async () => assert.notEqual((await acme.get<JobRow>(location)).finishedAt, null));
      await eventually(async () => {
        const topics = (await acme.list<NotificationRow>("/v1/notifications")).map(({ topic }) => topic);
        assert.deepEqual(topics.sort(), ["anomaly", "failures"]);
      });
      assert.deepEqual(await shown(acme), {
        ...{ accepted: 3, records: 2, counted: 2, marked: 1, lastDay: 2, values: 2, samples: 2, failures: 1 },
        ...{ issues: 1, anomalies: 1, notifications: 2, jobs: 1, views: 1, sent: 3 },
      });
      for (const other of [running, globex]) assert.deepEqual(await shown(other), nothing);
    });

    test("what has an id of one tenant is not there for another, who can change nothing of it", async () => {
      const [{ id: record }, failure] = [
        await firstOf<RecordRow>(acme, "/v1/streams/orders/records"),
        await firstOf<FailureRow>(acme, "/v1/failures"),
      ];
      const [issue, anomaly, job] = [
        await firstOf<IdRow>(acme, "/v1/issues"),
        await firstOf<IdRow>(acme, "/v1/anomalies"),
        await firstOf<IdRow>(acme, "/v1/jobs"),
      ];
      const things = async () => ({
        ...(await shown(acme)),
        failure: await acme.get(`/v1/failures/${failure.id}`),
        issue: await acme.get(`/v1/issues/${issue.id}`),
        anomaly: await acme.get(`/v1/anomalies/${anomaly.id}`),
        job: await acme.get(`/v1/jobs/${job.id}`),
      });
      const before = await things();
      const place = `/v1/failures/${failure.id}`;
      const tries: readonly (readonly [code: string, path: string, init?: RequestInit])[] = [
        ["RECORD_UNKNOWN", `/v1/streams/orders/records/${record}`],
        ["RECORD_UNKNOWN", "/v1/streams/orders/records/a"],
        ["FAILURE_UNKNOWN", place],
        ["FAILURE_UNKNOWN", `${place}/payload`],
        ["FAILURE_UNKNOWN", `${place}/retry`, { method: "POST" }],
        ["FAILURE_UNKNOWN", `${place}?reason=mine`, { method: "DELETE" }],
        ["FAILURE_UNKNOWN", place, json("PATCH", [])],
        ["ISSUE_UNKNOWN", `/v1/issues/${issue.id}`],
        ["ISSUE_UNKNOWN", `/v1/issues/${issue.id}`, json("PATCH", { state: "ignored" })],
        ["ANOMALY_UNKNOWN", `/v1/anomalies/${anomaly.id}`],
        ["ANOMALY_UNKNOWN", `/v1/anomalies/${anomaly.id}`, json("PATCH", { state: "acknowledged" })],
        ["JOB_UNKNOWN", `/v1/jobs/${job.id}`],
        ["JOB_UNKNOWN", `/v1/jobs/${job.id}/items`],
        ["JOB_UNKNOWN", `/v1/jobs/${job.id}/cancel`, { method: "POST" }],
        ["ISSUE_UNKNOWN", "/v1/replays", json("POST", { select: { issue: issue.id }, mode: "run" })],
      ];
      for (const other of [running, globex]) {
        for (const [code, path, init] of tries) await expectProblem(await other.request(path, init), 404, code);
      }
      assert.deepEqual(await things(), before);
    });

    test("events with one id of two tenants are two events, each told of to its own", async () => {
      await globex.send("orders", [
        { id: "a", total: 7 },
        { id: "c", total: 500 },
      ]);
      await globex.settled();
      const { stored, quarantined, duplicates } = await globex.balance("orders");
      assert.deepEqual([stored, quarantined, duplicates], [2, 0, 0]);
      for (const [calls, total] of [
        [acme, 1],
        [globex, 7],
      ] as const) {
        assert.equal((await calls.get<RecordRow>("/v1/streams/orders/records/a")).data["total"], total);
      }
      // The cooldown of the alert has begun for the other one only.
      const [told] = await globex.list<NotificationRow>("/v1/notifications");
      assert.deepEqual([told?.topic, told?.suppressed], ["anomaly", 0]);
      assert.equal((await acme.list("/v1/notifications")).length, 2);
    });

    test("a selection by ids, filter or time holds what is the tenant's own", async () => {
      const { id } = await firstOf<FailureRow>(acme, "/v1/failures");
      const selections = [{ ids: [id] }, { filter: { state: "quarantined" } }, { filter: { stream: "orders" } }];
      for (const select of selections) {
        assert.deepEqual([await plan(acme, select), await plan(globex, select)], [1, 0], JSON.stringify(select));
        const discard = { select, mode: "run", action: "discard", reason: "mine", graceSeconds: 0 };
        await expectProblem(await globex.request("/v1/replays", json("POST", discard)), 422, "SELECTION_EMPTY");
      }
      const day = 24 * 60 * 60 * 1000;
      const raw = { stream: "orders", from: isoTime(Date.now() - day), to: isoTime(Date.now() + day) };
      assert.deepEqual([await plan(acme, { raw }), await plan(globex, { raw })], [2, 1]);
      await expectProblem(
        await running.request("/v1/replays", json("POST", { select: { raw }, mode: "run" })),
        422,
        "SELECTION_EMPTY",
      );
    });

    test("a tenant mends, replays and looks up contracts like any other", async () => {
      const { id } = await firstOf<FailureRow>(acme, "/v1/failures");
      const patch = [{ op: "replace", path: "/total", value: 3 }];
      const edited = await acme.request(`/v1/failures/${id}`, json("PATCH", patch));
      assert.equal(edited.status, 200);
      const run = await acme.request("/v1/replays", json("POST", { select: { ids: [id] }, mode: "run" }));
      assert.equal(run.status, 202);
      await eventually(async () =>
        assert.equal((await acme.get<RecordRow>("/v1/streams/orders/records/b")).data["total"], 3),
      );
      await expectProblem(await globex.request("/v1/streams/orders/records/b"), 404, "RECORD_UNKNOWN");
      for (const calls of [running, acme, globex]) {
        const contracts = await calls.get<{ readonly data: readonly unknown[] }>("/v1/streams/orders/contracts");
        assert.equal(contracts.data.length, 1);
      }
    });

    test("a file comes into the tenant whose key has asked for its link", async () => {
      const body = "id,total\nfile-1,1\nfile-2,wrong\n";
      const wanted = { stream: "orders", fileName: "f.csv", contentType: "text/csv", bytes: Buffer.byteLength(body) };
      const response = await acme.request("/v1/uploads", json("POST", wanted));
      const link = (await response.json()) as Link;
      const before = await shown(globex);
      assert.equal((await fetch(link.url, { method: link.method, headers: link.headers, body })).status, 200);
      await eventually(async () => {
        const { state } = await acme.get<{ state: string }>(`/v1/uploads/${link.id}`);
        assert.equal(state, "processed");
      });
      await acme.get("/v1/streams/orders/records/file-1");
      for (const other of [running, globex]) {
        await expectProblem(await other.request(`/v1/uploads/${link.id}`), 404, "UPLOAD_UNKNOWN");
      }
      assert.deepEqual(await shown(globex), before);
      assert.deepEqual(await shown(running), nothing);
    });

    test("the live tail tells a tenant of its own", async () => {
      const abort = new AbortController();
      try {
        const heard = await Promise.all([running, acme, globex].map((calls) => listen(calls, abort.signal)));
        await acme.send("orders", [{ id: "live-acme", total: 1 }]);
        await eventually(() => assert.deepEqual(heard[1], ["live-acme"]), { seconds: 30 });
        await globex.send("orders", [{ id: "live-globex", total: 1 }]);
        await running.send("orders", [{ id: "live-default", total: 1 }]);
        const each = [["live-default"], ["live-acme"], ["live-globex"]];
        await eventually(() => assert.deepEqual(heard, each), { seconds: 30 });
      } finally {
        abort.abort();
      }
    });

    test("metrics are the operator's: they count all tenants together", async () => {
      const stored = async (calls: HttpCalls) => (await calls.balance("orders")).stored;
      const sum = (await stored(running)) + (await stored(acme)) + (await stored(globex));
      const text = await (await running.request("/metrics")).text();
      assert.equal(/eventpulse_events_stored_total\{stream="orders"\} (\d+)/.exec(text)?.[1], String(sum));
    });
  });
}

/** The ids of events that a listener is told of from now on. */
async function listen({ url, key }: HttpCalls, signal: AbortSignal): Promise<readonly string[]> {
  const ids: string[] = [];
  const opened = Promise.withResolvers<void>();
  const read = async () => {
    for await (const { kind, data } of live(connect({ url, key }), null, { signal, onLine: () => opened.resolve() })) {
      assert.equal(kind, "record");
      ids.push((data as RecordRow).eventId ?? "");
    }
  };
  read().catch(opened.reject);
  await opened.promise;
  return ids;
}
