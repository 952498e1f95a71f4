import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, expectProblem, type FailureRow, type Platform, type RecordRow, type Running } from "../running.ts";

interface IssueRow {
  readonly id: string;
  readonly state: string;
  readonly waiting: number;
  readonly total: number;
  readonly exampleId: string;
}

/** A config whose contract takes numbers up to `max`; without `removed` it has no such stream. */
const config = (max: number, removed = true) => `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const orders = stream({ schema: z.object({ id: z.string(), total: z.number().max(${max}) }), key: "id" });
const removed = stream({
  schema: z.object({ id: z.string(), fails: z.boolean() }),
  key: "id",
  transform: (event) => {
    if (event.fails) throw new Error("fails as it was asked to");
    return event;
  },
});
export default defineConfig({ name: "mending", streams: { orders${removed ? ", removed" : ""} } });
`;

export function mendingScenarios(platform: Platform): void {
  describe("mending failures", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config(100));
    });
    after(() => running.close());

    const quarantine = async (id: string, total: unknown): Promise<FailureRow> => {
      const { rawKey } = await running.send("orders", [{ id, total }]);
      // Where a commit is more than one transaction, a failure may be seen a moment before the balance counts it.
      await running.settled();
      return eventually(async () => {
        const failures = await running.list<FailureRow & { rawKey: string }>("/v1/failures?stream=orders");
        const found = failures.find((failure) => failure.rawKey === rawKey);
        assert.ok(found !== undefined, "the failure is there");
        return found;
      });
    };
    const retry = (id: string, headers: Record<string, string> = {}) =>
      running.request(`/v1/failures/${id}/retry`, { method: "POST", headers });
    const failureIn = (id: string, state: string) =>
      eventually(async () => {
        const failure = await running.get<FailureRow>(`/v1/failures/${id}`);
        assert.equal(failure.state, state);
        return failure;
      });

    test("a retry that fails again goes back, with one attempt more", async () => {
      const { id } = await quarantine("again", 150);
      const accepted = await retry(id);
      assert.deepEqual([accepted.status, accepted.headers.get("location")], [202, `/v1/failures/${id}`]);
      await eventually(async () => assert.equal((await running.get<FailureRow>(`/v1/failures/${id}`)).attempts, 2));
      const failure = await failureIn(id, "quarantined");
      assert.deepEqual([failure.code, failure.recordId], ["CONTRACT_BROKEN", null]);
      await running.settled();
      const { accepted: events, quarantined } = await running.balance("orders");
      assert.deepEqual([events, quarantined], [1, 1]);
    });

    test("after the contract was changed a retry makes the record, and the balance moves", async () => {
      const { id } = await quarantine("mended", 250);
      const before = await running.balance("orders");
      await running.reconfigure(config(1_000));
      assert.equal((await retry(id)).status, 202);
      const failure = await failureIn(id, "recovered");
      const record = await running.get<RecordRow>(`/v1/streams/orders/records/${failure.recordId}`);
      assert.deepEqual([record.eventId, record.data], ["mended", { id: "mended", total: 250 }]);
      await running.settled();
      const after = await running.balance("orders");
      assert.deepEqual(
        [after.accepted, after.stored, after.quarantined],
        [before.accepted, before.stored + 1, before.quarantined - 1],
      );
      await expectProblem(await retry(id), 409, "STATE_CONFLICT");
    });

    test("a failure that fails for another reason when it is retried moves to the issue of that reason", async () => {
      const [first, second] = [await quarantine("moves", 5_000), await quarantine("stays", 5_000)];
      const issueOf = async (id: string) => {
        const { fingerprint, errors } = await running.get<FailureRow & { fingerprint: string }>(`/v1/failures/${id}`);
        const issue = await running.get<IssueRow>(`/v1/issues/iss_${fingerprint}`);
        return { ...issue, pointer: errors[0]?.pointer };
      };
      const before = await issueOf(first.id);
      assert.deepEqual([before.waiting, before.pointer], [2, "/total"]);
      await running.reconfigure(config(10_000).replace("id: z.string(), total", "id: z.string().max(3), total"));
      const example = [first, second].find(({ id }) => id === before.exampleId);
      assert.equal((await retry(example?.id ?? "")).status, 202);
      const after = await eventually(async () => {
        const issue = await issueOf(example?.id ?? "");
        assert.deepEqual([issue.waiting, issue.total, issue.pointer], [1, 1, "/id"]);
        return issue;
      });
      assert.notEqual(after.id, before.id);
      const left = await running.get<IssueRow>(`/v1/issues/${before.id}`);
      assert.deepEqual([left.state, left.waiting, left.total], ["open", 1, 1]);
      assert.notEqual(left.exampleId, before.exampleId);
      await running.reconfigure(config(1_000));
    });

    test("a discarded failure counts as dropped and keeps the reason", async () => {
      const { id } = await quarantine("unwanted", 9_999);
      const before = await running.balance("orders");
      await expectProblem(await running.request(`/v1/failures/${id}`, { method: "DELETE" }), 400, "PARAMETER_INVALID");
      const stale = { "if-match": '"77"' };
      const path = `/v1/failures/${id}?reason=${encodeURIComponent("a test of the sender")}`;
      await expectProblem(await running.request(path, { method: "DELETE", headers: stale }), 412, "ETAG_STALE");
      const response = await running.request(path, { method: "DELETE" });
      assert.equal(response.status, 200);
      const failure = await failureIn(id, "discarded");
      assert.match(failure.note ?? "", /a test of the sender/);
      await running.settled();
      const after = await running.balance("orders");
      assert.deepEqual(
        [after.accepted, after.dropped, after.quarantined],
        [before.accepted, before.dropped + 1, before.quarantined - 1],
      );
      await expectProblem(await retry(id), 409, "STATE_CONFLICT");
    });

    test("a wrong config is refused with file and line, and the last good one stays in force", async () => {
      await assert.rejects(running.reconfigure(config(1_000).replace('key: "id"', 'kee: "id"')), (error: unknown) => {
        const { code, errors } = error as { code: string; errors: readonly { detail: string }[] };
        assert.equal(code, "CONFIG_INVALID");
        assert.match(errors[0]?.detail ?? "", /eventpulse\.config\.ts:\d+: .*kee/);
        return true;
      });
      await assert.rejects(running.reconfigure("this is no TypeScript {"));
      await running.send("orders", { id: "still-running", total: 999 });
      await running.settled();
      const record = await running.get<RecordRow>("/v1/streams/orders/records/still-running");
      assert.equal(record.data["total"], 999);
      await running.reconfigure(config(1_000));
    });

    test("events whose stream was removed meanwhile are set aside, and a retry mends them when it is back", async () => {
      // Its attempts take longer than the change of the config.
      await running.send("removed", [{ id: "waiting", fails: true }]);
      await running.reconfigure(config(1_000, false));
      await expectProblem(
        await running.request("/v1/streams/removed/events", { method: "POST", body: "{}" }),
        404,
        "STREAM_UNKNOWN",
      );
      await running.settled(60);
      const [failure] = await running.list<FailureRow>("/v1/failures?code=STREAM_REMOVED");
      assert.deepEqual([failure?.state, failure?.class], ["quarantined", "invalid"]);
      const { accepted, quarantined } = await running.balance("removed");
      assert.deepEqual([accepted, quarantined], [1, 1]);
      await running.reconfigure(config(1_000).replace("event.fails", "false"));
      assert.equal((await retry(failure?.id ?? "")).status, 202);
      const { recordId } = await failureIn(failure?.id ?? "", "recovered");
      const record = await running.get<RecordRow>(`/v1/streams/removed/records/${recordId}`);
      assert.equal(record.eventId, "waiting");
      await running.settled();
      assert.equal((await running.balance("removed")).stored, 1);
    });
  });
}
