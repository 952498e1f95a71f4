import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { headersOf, partsOf } from "../../contracts/read-mail.ts";
import { type AnomalyRow, eventually, isoTime, type NotificationRow, type Platform, type Running } from "../running.ts";
import { startWebhookReceiver } from "../webhook-receiver.ts";

const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;

const config = (hook: string) => `
import { alert, anomaly, defineConfig, email, stream, webhook } from "eventpulse";
import { z } from "zod";

const schema = z.object({ sensor: z.string(), value: z.number(), at: z.iso.datetime() });
const owner = [email("owner@example.com")];
const [readings, ranges, storms, wrong] = [0, 1, 2, 3].map(() => stream({ schema, time: "at", owner }));
const spike = anomaly(readings, { value: "value", per: "sensor", detect: { mad: { window: 50, warmup: 20, threshold: 6 } } });
const band = anomaly(ranges, { value: "value", detect: { range: { low: 0, high: 10 } } });
const storm = anomaly(storms, { value: "value", per: "sensor", detect: { range: { high: 10 } } });
export default defineConfig({
  name: "alerting",
  streams: { readings, ranges, storms, wrong },
  anomalies: { spike, band, storm },
  alerts: [
    alert({ on: spike, to: [email("ops@example.com"), webhook("${hook}", { secret: "${secret}" })], cooldown: "30m" }),
    alert({ on: storm, to: [email("ops@example.com")] }),
  ],
});
`;

interface Series {
  readonly points: readonly { readonly max: number | null; readonly count: number }[];
  readonly anomalies: readonly AnomalyRow[];
}

export function alertingScenarios(platform: Platform): void {
  describe("anomalies, alerts and the owner", { concurrency: false }, () => {
    let running: Running;
    let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
    before(async () => {
      receiver = await startWebhookReceiver();
      running = await platform.start(config(receiver.url));
    });
    after(async () => {
      // First: it would keep the process alive if the platform did not start.
      await receiver.close();
      await running.close();
    });

    const start = Date.UTC(2026, 0, 31, 12);
    const reading = (sensor: string, second: number, value: number) => ({
      sensor,
      value,
      at: isoTime(start + second * 1000),
    });
    const notifications = async (stream: string) =>
      (await running.list<NotificationRow>("/v1/notifications")).filter((row) => row.stream === stream);

    test("a value far from the last ones of its own key is an anomaly that says why; a series shows it", async () => {
      const events = ["a", "b"].flatMap((sensor) =>
        Array.from({ length: 60 }, (_, second) =>
          reading(sensor, second, 20 + (second % 5) + (sensor === "b" ? 500 : 0)),
        ),
      );
      events.push(reading("a", 90, 500));
      await running.send("readings", events);
      await running.settled();
      const found = await running.list<AnomalyRow>("/v1/anomalies?stream=readings");
      assert.deepEqual(
        found.map(({ rule, key, value }) => [rule, key, value]),
        [["spike", "a", 500]],
      );
      const [spike] = found;
      assert.ok(spike !== undefined && spike.score > 0.9 && spike.score <= 1);
      assert.ok(Number(spike.expectedLow) < 22 && Number(spike.expectedHigh) > 22 && Number(spike.expectedHigh) < 100);
      assert.match(spike.why, /500 is .* above the median 22 of the last 50 values/);
      const record = await running.get<{ data: object }>(`/v1/streams/readings/records/${spike.recordId}`);
      assert.deepEqual(record.data, events.at(-1));
      const query = new URLSearchParams({
        field: "value",
        from: isoTime(start),
        to: isoTime(start + 3_600_000),
        points: "1",
      });
      const series = await running.get<Series>(`/v1/streams/readings/series?${query}`);
      assert.deepEqual(
        series.points.map(({ count, max }) => [count, max]),
        [[121, 524]],
      );
      assert.deepEqual(
        series.anomalies.map(({ id }) => id),
        [spike.id],
      );
    });

    test("the alert is mailed and posted, and the webhook's signature proves who sent it", async () => {
      const [notice] = await eventually(async () => {
        const rows = await notifications("readings");
        assert.deepEqual(
          rows.map(({ topic, state }) => [topic, state]),
          [["anomaly", "delivered"]],
        );
        return rows;
      });
      assert.ok(notice !== undefined);
      assert.equal(receiver.received.length, 1);
      const [hook] = receiver.received;
      const body = new Webhook(secret).verify(hook?.body ?? "", hook?.headers ?? {}) as {
        type: string;
        data: { id: string; details: { incident: { id: string; severity: string; worst: { value: number } } } };
      };
      assert.deepEqual([body.type, body.data.id], ["anomaly.opened", notice.id]);
      const { id, severity, worst } = body.data.details.incident;
      assert.deepEqual([severity, worst.value], ["critical", 500]);
      assert.equal((await running.list(`/v1/anomalies?incident=${id}`)).length, 1);
      assert.equal(hook?.headers["webhook-id"], notice.id);
      assert.throws(() => new Webhook(secret).verify(`${hook?.body} `, hook?.headers ?? {}));
      const mail = (await running.mails()).find((text) => text.includes(notice.id));
      assert.ok(mail !== undefined, "the mail is in the outbox");
      assert.equal(headersOf(mail).get("to"), "ops@example.com");
      assert.match(partsOf(mail)[0]?.body ?? "", /500 is .* above the median/);
    });

    test("a value outside a fixed band is an anomaly, one on its edge is none", async () => {
      await running.send(
        "ranges",
        [10, 10.5, 0, -1, 5].map((value, second) => reading("a", second, value)),
      );
      await running.settled();
      const found = await running.list<AnomalyRow>("/v1/anomalies?stream=ranges&rule=band");
      assert.deepEqual(
        found.map(({ value, expectedLow, expectedHigh }) => [value, expectedLow, expectedHigh]),
        [
          [-1, 0, 10],
          [10.5, 0, 10],
        ],
      );
      assert.match(found[0]?.why ?? "", /below the fixed band/);
      assert.deepEqual(await notifications("ranges"), [], "no alert asks for it");
    });

    test("an anomaly can be acknowledged once per version", async () => {
      const [anomaly] = await running.list<AnomalyRow & { version: number }>("/v1/anomalies?stream=ranges");
      const change = (ifMatch: string) =>
        running.request(`/v1/anomalies/${anomaly?.id}`, {
          method: "PATCH",
          headers: { "content-type": "application/json", "if-match": ifMatch },
          body: JSON.stringify({ state: "acknowledged", note: "known" }),
        });
      const etag = `"${anomaly?.version}"`;
      assert.equal((await change(etag)).status, 200);
      assert.equal((await change(etag)).status, 412);
      const open = await running.list<AnomalyRow>("/v1/anomalies?stream=ranges&state=open");
      assert.equal(open.length, 1);
    });

    test("many unusual values are one incident: told when it begins, becomes critical and is over, not of each value", async () => {
      const send = async (...readings: readonly object[]) => {
        await running.send("storms", readings);
        await running.settled();
      };
      const row = (second: number, value: number) => reading("a", second, value);
      for (let round = 0; round < 4; round++) {
        await send(...Array.from({ length: 50 }, (_, second) => row(second + 50 * round, 12)));
      }
      await send(row(960, 12));
      await send(row(1_300, 1), row(1_301, 1), row(1_302, 1));
      // Another incident within the cooldown: nobody is told of it, nor that it is over.
      await send(row(1_400, 12));
      await send(row(5_400, 1));
      const told = (await notifications("storms")).toReversed();
      assert.deepEqual(
        told.map(({ topic, subject }) => [topic, subject]),
        [
          ["anomaly", "storms: value of a is 12, expected up to 10"],
          ["escalation", "CRITICAL storms: value of a is still unusual (201 values in 16 min)"],
          ["recovery", "storms: value of a is ordinary again (201 values in 16 min)"],
        ],
      );
      const count = async (query: string) => (await running.list(`/v1/anomalies?stream=storms&${query}`)).length;
      const [last] = await running.list<AnomalyRow>("/v1/anomalies?stream=storms&severity=critical");
      assert.equal(await count(`incident=${last?.incident}`), 201);
      assert.equal(await count(`incident=${last?.incident}&severity=critical`), 1);
      assert.equal(await count(""), 202);
    });

    test("a false positive makes its rule more lenient for its key until it is taken back, and the audit log says who", async () => {
      const usual = Array.from({ length: 60 }, (_, second) => reading("c", second, 20 + (second % 5)));
      await running.send("readings", usual);
      const found = async (second: number) => {
        await running.send("readings", [reading("c", second, 31)]);
        await running.settled();
        const rows = await running.list<AnomalyRow>("/v1/anomalies?stream=readings");
        return rows.filter(({ key, time }) => key === "c" && time === isoTime(start + second * 1000));
      };
      const [anomaly] = await found(90);
      const say = async (state: string, note: string) => {
        const response = await running.request(`/v1/anomalies/${anomaly?.id}`, {
          method: "PATCH",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ state, note }),
        });
        assert.equal(response.status, 200);
      };
      await say("false-positive", "the fan was off");
      assert.deepEqual(await found(91), []);
      await say("open", "it was on");
      assert.equal((await found(92)).length, 1);
      const entries = await running.list<{ target: string; reason: string; details: Record<string, unknown> }>(
        "/v1/audit?action=anomaly.change",
      );
      assert.deepEqual(
        entries
          .filter(({ target }) => target === anomaly?.id)
          .map(({ reason, details }) => [reason, details["before"], details["after"], details["falsePositivesAfter"]]),
        [
          ["the fan was off", "open", "false-positive", 1],
          ["it was on", "false-positive", "open", 0],
        ],
      );
    });

    test("the owner of a stream is told of issues: a new one, each tenfold, one that is back; never of each event", async () => {
      const bad = (second: number) => ({ ...reading("a", second, 1), value: "no number" });
      const sendBad = (count: number) =>
        running.send(
          "wrong",
          Array.from({ length: count }, (_, second) => bad(second)),
        );
      const told = async (count: number) =>
        eventually(async () => {
          const rows = await notifications("wrong");
          assert.equal(rows.length, count, rows.map(({ subject }) => subject).join("\n"));
          return rows.map(({ subject }) => subject).sort();
        });
      await sendBad(30);
      await running.send("wrong", [{ ...reading("a", 1, 1), sensor: 7 }, reading("a", 2, 2)]);
      assert.deepEqual(await told(2), [
        "wrong: 1 event set aside (CONTRACT_BROKEN at /sensor)",
        "wrong: 30 events set aside (CONTRACT_BROKEN at /value)",
      ]);
      // No tenfold is reached by these, so the third notice is that of the hundredth.
      for (let time = 0; time < 5; time++) await sendBad(1);
      await running.settled();
      await sendBad(65);
      assert.ok((await told(3)).includes("wrong: 100 events have failed (CONTRACT_BROKEN at /value)"));
      const issues = await running.list<{ id: string; pointer: string; version: number }>("/v1/issues?stream=wrong");
      const issue = issues.find(({ pointer }) => pointer === "/value");
      const resolved = await running.request(`/v1/issues/${issue?.id}`, {
        method: "PATCH",
        headers: { "content-type": "application/json", "if-match": `"${issue?.version}"` },
        body: JSON.stringify({ state: "resolved" }),
      });
      assert.equal(resolved.status, 200);
      await sendBad(1);
      assert.ok((await told(4)).includes("wrong: fails again after it was resolved (CONTRACT_BROKEN at /value)"));
      assert.equal((await running.balance("wrong")).quarantined, 102);
      const mails = await eventually(async () => {
        const owned = (await running.mails()).filter((text) => headersOf(text).get("to") === "owner@example.com");
        assert.equal(owned.length, 4);
        return owned;
      });
      const back = mails.find((text) => headersOf(text).get("subject")?.includes("fails again"));
      assert.match(partsOf(back ?? "")[0]?.body ?? "", new RegExp(`eventpulse issues show ${issue?.id}`));
    });
  });
}
