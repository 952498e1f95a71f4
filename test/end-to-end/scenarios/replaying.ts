import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type AuditEntry, auditProblem } from "../../../src/model/audit.ts";
import { eventually, expectProblem, type FailureRow, type Platform, type RecordRow, type Running } from "../running.ts";

/** A contract that takes the given currencies, and a transform with a factor; two functions mend, one of them not always. */
const config = (currencies: readonly string[], factor = 1) => `
import { anomaly, defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({
  id: z.string(), email: z.string(), total: z.number(), currency: z.enum(${JSON.stringify(currencies)}),
});
const orders = stream({ schema, key: "id", pii: ["email"], transform: (order) => ({ ...order, cents: order.total * 100 }) });
const lengths = stream({
  schema: z.object({ id: z.string(), value: z.number() }),
  key: "id",
  transform: ({ id, value }) => ({ id, scaled: value * ${factor} }),
});
const unusual = anomaly(orders, { value: "total", detect: { mad: { window: 20, warmup: 10 } } });
export default defineConfig({
  name: "replaying",
  streams: { orders, lengths },
  anomalies: { unusual },
  recipes: {
    throws: () => { throw new Error("a mistake in the recipe"); },
    declines: (event) => (event.id.endsWith("0") ? null : { ...event, total: Number(event.total) }),
  },
});
`;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly stateReason: string | null;
  readonly items: number;
  readonly results: Readonly<Record<string, number>>;
  readonly reasons: readonly { readonly code: string; readonly pointer: string; readonly count: number }[];
  readonly samples: readonly {
    readonly before: string | null;
    readonly after: string | null;
    readonly output: string;
  }[];
}
interface IssueRow {
  readonly id: string;
  readonly state: string;
  readonly pointer: string;
  readonly total: number;
  readonly waiting: number;
  readonly recovered: number;
}
interface Failure extends FailureRow {
  readonly version: number;
  readonly eventId: string | null;
  readonly edit: { readonly sha256: string } | null;
  readonly jobId: string | null;
}

const numbers = { description: "", steps: [{ do: "cast", path: "/total", to: "number" }] };
const good = (id: string) => ({ id, email: `${id}@example.com`, total: 1, currency: "EUR" });

/** Each test breaks events of its own and leaves none waiting. */
export function replayingScenarios(platform: Platform): void {
  describe("fix and replay", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config(["EUR", "USD"]));
    });
    after(() => running.close());

    const json = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      running.request(path, {
        method,
        headers: { "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const started = async (body: unknown): Promise<Job> => {
      const response = await json("POST", "/v1/replays", body);
      const text = await response.text();
      assert.equal(response.status, 202, text);
      return JSON.parse(text) as Job;
    };
    const jobIn = (id: string, state: string) =>
      eventually(async () => {
        const job = await running.get<Job>(`/v1/jobs/${id}`);
        assert.equal(job.state, state, job.stateReason ?? "");
        return job;
      });
    const ran = async (body: object) => jobIn((await started({ mode: "run", ...body })).id, "done");
    const waiting = () => running.list<Failure>("/v1/failures?state=quarantined");
    /** Sends events of which all break, and waits until they are set aside. */
    const broken = async (events: readonly object[]) => {
      await running.send("orders", events);
      // Where a commit is more than one transaction, a failure may be seen a moment before its issue counts it.
      await running.settled();
      return eventually(async () => {
        const failures = await waiting();
        assert.equal(failures.length, events.length);
        return failures;
      });
    };
    const prefixed = (prefix: string, count: number, change: object) =>
      Array.from({ length: count }, (_, index) => ({ ...good(`${prefix}-${index}`), ...change }));
    const orders = { filter: { stream: "orders" } };

    test("failures with one cause are one issue, which is resolved when all of them are recovered, and regresses", async () => {
      await broken([...prefixed("cause-a", 5, { total: "5" }), ...prefixed("cause-b", 3, { currency: "GBP" })]);
      const issues = await running.list<IssueRow>("/v1/issues?stream=orders");
      const counts = issues.map(({ pointer, state, total, waiting: left }) => [pointer, state, total, left]);
      assert.deepEqual(counts.sort(), [
        ["/currency", "open", 3, 3],
        ["/total", "open", 5, 5],
      ]);
      const totals = issues.find(({ pointer }) => pointer === "/total");
      await ran({ select: { issue: totals?.id }, recipe: numbers });
      const resolved = await running.get<IssueRow>(`/v1/issues/${totals?.id}`);
      assert.deepEqual([resolved.state, resolved.waiting, resolved.recovered], ["resolved", 0, 5]);
      await running.send("orders", [{ ...good("cause-c"), total: "6" }]);
      await eventually(async () =>
        assert.equal((await running.get<IssueRow>(`/v1/issues/${totals?.id}`)).state, "regressed"),
      );
      await ran({ select: { issue: totals?.id }, recipe: numbers });
      await running.reconfigure(config(["EUR", "USD", "GBP"]));
      const unchanged = await ran({ select: orders });
      assert.deepEqual(unchanged.results, { recovered: 3 });
      await running.reconfigure(config(["EUR", "USD"]));
      const { accepted, stored, quarantined } = await running.balance("orders");
      assert.deepEqual([accepted, stored, quarantined], [9, 9, 0]);
    });

    test("an edit is judged before it is kept, kept beside the original, and used by the replay", async () => {
      const [failure] = await broken(prefixed("edit", 1, { total: "12.5" }));
      assert.ok(failure !== undefined);
      const path = `/v1/failures/${failure.id}`;
      const patch = (operations: unknown, version?: string) =>
        json("PATCH", path, operations, {
          "content-type": "application/json-patch+json",
          ...(version === undefined ? {} : { "if-match": version }),
        });
      const etag = `"${failure.version}"`;
      const set = (value: unknown) => [{ op: "replace", path: "/total", value }];
      await expectProblem(await patch(set(12.5)), 428, "IF_MATCH_MISSING");
      await expectProblem(await patch(set(12.5), '"99"'), 412, "ETAG_STALE");
      await expectProblem(await patch([{ op: "remove", path: "/nowhere" }], etag), 422, "PATCH_INVALID");
      await expectProblem(await patch(set("twelve"), etag), 422, "EDIT_REFUSED");
      assert.equal((await running.get<Failure>(path)).edit, null, "nothing of these was kept");
      const kept = await patch(set(12.5), etag);
      assert.equal(kept.status, 200, await kept.clone().text());
      const original = await running.request(`${path}/payload?unmasked=true&reason=test`);
      assert.deepEqual(await original.json(), { ...good("edit-0"), total: "12.5" });
      const job = await ran({ select: { ids: [failure.id] } });
      assert.deepEqual(job.results, { recovered: 1 });
      const recovered = await running.get<Failure>(path);
      assert.deepEqual([recovered.state, recovered.jobId], ["recovered", job.id]);
      const record = await running.get<RecordRow>(`/v1/streams/orders/records/${recovered.recordId}`);
      assert.deepEqual(record.data, { ...good("edit-0"), total: 12.5, cents: 1250 });
    });

    test("an edit mends a conflict by another key, and a plain retry uses it, too", async () => {
      await running.send("orders", [good("taken")]);
      await running.settled();
      const [failure] = await broken([{ ...good("taken"), total: 2 }]);
      const path = `/v1/failures/${failure?.id}`;
      const patch = [{ op: "replace", path: "/id", value: "free" }];
      const headers = { "content-type": "application/json-patch+json", "if-match": `"${failure?.version}"` };
      assert.equal((await json("PATCH", path, patch, headers)).status, 200);
      assert.equal((await running.request(`${path}/retry`, { method: "POST" })).status, 202);
      await eventually(async () => assert.equal((await running.get<Failure>(path)).state, "recovered"));
      const record = await running.get<RecordRow<{ total: number }>>("/v1/streams/orders/records/free");
      assert.equal(record.data.total, 2);
    });

    test("a dry run says what would come of it, without personal data, and writes nothing", async () => {
      await broken([...prefixed("dry-a", 3, { total: "7" }), ...prefixed("dry-b", 2, { total: "seven" })]);
      const before = await running.balance("orders");
      const { id } = await started({ select: orders, mode: "dry-run", recipe: numbers });
      const job = await jobIn(id, "done");
      const { recovered, unmended } = job.results;
      assert.deepEqual([recovered, unmended], [3, 2]);
      const sample = job.samples.find(({ output }) => output !== null);
      assert.match(sample?.before ?? "", /"total":"7"/);
      assert.match(sample?.after ?? "", /"total":7/);
      assert.match(sample?.output ?? "", /"cents":700/);
      assert.doesNotMatch(JSON.stringify(job), /@example\.com/);
      assert.deepEqual(await running.balance("orders"), before);
      assert.equal((await waiting()).length, 5);
      await ran({ select: orders, action: "discard", reason: "tidy up", graceSeconds: 0 });
    });

    test("a recipe that throws or declines leaves the failure as it is, and the job goes on", async () => {
      await broken(prefixed("declined", 11, { total: "8" }));
      const throwing = await ran({ select: { filter: { state: "quarantined" } }, recipe: "throws" });
      assert.deepEqual(throwing.results, { unmended: 11 });
      assert.equal(throwing.reasons[0]?.code, "RECIPE_FAILED");
      assert.deepEqual(
        (await waiting()).map(({ attempts }) => attempts),
        new Array(11).fill(1),
      );
      const declining = await ran({ select: { filter: { state: "quarantined" } }, recipe: "declines" });
      assert.deepEqual(declining.results, { recovered: 9, unmended: 2 });
      await ran({ select: { filter: { state: "quarantined" } }, recipe: numbers });
    });

    test("a selection that fits nothing is told apart: the plan counts 0, a run is refused", async () => {
      const select = { filter: { stream: "orders", code: "JSON_INVALID" } };
      const plan = await json("POST", "/v1/replays", { select, mode: "plan" });
      assert.deepEqual([plan.status, ((await plan.json()) as { items: number }).items], [200, 0]);
      await expectProblem(await json("POST", "/v1/replays", { select, mode: "run" }), 422, "SELECTION_EMPTY");
      const unknown = { select, mode: "run", recipe: "nobody-wrote-it" };
      await expectProblem(await json("POST", "/v1/replays", unknown), 404, "RECIPE_UNKNOWN");
    });

    test("a canary that does not come out well pauses the job; a cancelled job goes on when it is resumed", async () => {
      await broken([...prefixed("canary", 20, { total: "9" }), { ...good("canary-x"), total: "nine" }]);
      const select = { ids: (await waiting()).map(({ id }) => id).reverse() };
      const first = (await waiting()).find(({ eventId }) => eventId === "canary-x");
      const ids = [first?.id, ...select.ids.filter((id) => id !== first?.id)];
      const { id } = await started({ select: { ids }, mode: "run", recipe: numbers, canary: 3 });
      const paused = await jobIn(id, "paused");
      assert.deepEqual(paused.results, { unmended: 1, recovered: 2 });
      assert.equal((await json("POST", `/v1/jobs/${id}/cancel`)).status, 200);
      await jobIn(id, "cancelled");
      assert.equal((await json("POST", `/v1/jobs/${id}/resume`)).status, 200);
      const done = await jobIn(id, "done");
      assert.deepEqual(done.results, { unmended: 1, recovered: 20 });
      await expectProblem(await json("POST", `/v1/jobs/${id}/cancel`), 409, "STATE_CONFLICT");
      await ran({ select: orders, action: "discard", reason: "tidy up", graceSeconds: 0 });
    });

    test("many are given up only with a reason and after a grace period, in which it can be taken back", async () => {
      await broken(prefixed("given-up", 4, { total: "no" }));
      const select = { filter: { state: "quarantined" } };
      await expectProblem(
        await json("POST", "/v1/replays", { select, action: "discard", mode: "run" }),
        422,
        "REASON_MISSING",
      );
      const scheduled = await started({ select, action: "discard", mode: "run", reason: "a test of the sender" });
      assert.equal(scheduled.state, "scheduled");
      assert.equal((await json("POST", `/v1/jobs/${scheduled.id}/cancel`)).status, 200);
      assert.equal((await waiting()).length, 4);
      const done = await ran({ select, action: "discard", reason: "a test of the sender", graceSeconds: 0 });
      assert.deepEqual(done.results, { discarded: 4 });
      const { accepted, stored, dropped, quarantined } = await running.balance("orders");
      assert.deepEqual([quarantined, accepted], [0, stored + dropped]);
    });

    test("each replayed event is judged by the detectors, in the state that the one before it left", async () => {
      await broken(prefixed("judged", 60, { total: "5" }));
      await ran({ select: orders, recipe: numbers });
      await broken([{ ...good("odd"), total: "100000" }]);
      await ran({ select: orders, recipe: numbers });
      const anomalies = await running.list<{ value: number }>("/v1/anomalies?stream=orders");
      assert.ok(
        anomalies.some(({ value }) => value === 100_000),
        "the odd one is found",
      );
    });

    test("the same request sent again is the same job", async () => {
      await broken(prefixed("again", 2, { total: "3" }));
      const body = { select: { filter: { state: "quarantined" } }, mode: "run", recipe: numbers };
      const headers = { "idempotency-key": "replay-once" };
      const ids = [];
      for (let time = 0; time < 2; time++) {
        const response = await json("POST", "/v1/replays", body, headers);
        assert.equal(response.status, 202);
        ids.push(((await response.json()) as Job).id);
      }
      assert.equal(ids[0], ids[1]);
      assert.deepEqual((await jobIn(ids[0] ?? "", "done")).results, { recovered: 2 });
    });

    test("raw objects are processed again after a changed transform: compared first, then replaced", async () => {
      await running.send("lengths", [
        { id: "a", value: 1 },
        { id: "b", value: 0 },
      ]);
      await running.send("lengths", [{ id: "c", value: 0 }]);
      await running.settled();
      await running.reconfigure(config(["EUR", "USD"], 1000));
      const hourMillis = 60 * 60 * 1000;
      const moment = (millis: number) => new Date(Date.now() + millis).toISOString();
      const select = { raw: { stream: "lengths", from: moment(-hourMillis), to: moment(hourMillis) } };
      const scaled = async () =>
        (await running.get<RecordRow<{ scaled: number }>>("/v1/streams/lengths/records/a")).data.scaled;
      const dryRun = await jobIn((await started({ select, mode: "dry-run" })).id, "done");
      assert.deepEqual(dryRun.results, { changed: 1, same: 1 });
      const [sample] = dryRun.samples;
      assert.match(sample?.before ?? "", /"scaled":1\}/);
      assert.match(sample?.after ?? "", /"scaled":1000\}/);
      assert.equal(await scaled(), 1, "a dry run replaces nothing");
      assert.deepEqual((await ran({ select })).results, { changed: 1, same: 1 });
      assert.equal(await scaled(), 1000);
      assert.deepEqual((await ran({ select })).results, { same: 2 });
      const { accepted, stored } = await running.balance("lengths");
      assert.deepEqual([accepted, stored], [3, 3]);
    });

    test("every view, edit, retry and job has its entry, and the entries prove that none was changed", async () => {
      const rows = await running.list<Omit<AuditEntry, "at"> & { at: string }>("/v1/audit");
      const actions = new Set(rows.map(({ action }) => action));
      for (const action of ["payload.view", "failure.edit", "failure.retry", "job.start", "job.cancel", "job.resume"]) {
        assert.ok(actions.has(action as AuditEntry["action"]), action);
      }
      let previous: AuditEntry | null = null;
      for (const row of rows) {
        const entry: AuditEntry = { ...row, tenant: row.tenant ?? "default", at: Date.parse(row.at) };
        assert.equal(auditProblem(previous, entry), null);
        previous = entry;
      }
      assert.doesNotMatch(JSON.stringify(rows), /@example\.com/);
    });
  });
}
