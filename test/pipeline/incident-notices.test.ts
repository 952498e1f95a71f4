import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { AlertDefinition } from "../../src/model/definition.ts";
import type { IncidentChange } from "../../src/model/incident.ts";
import type { NotificationDraft } from "../../src/model/notification.ts";
import { incidentNotices } from "../../src/pipeline/notify/incident-notices.ts";
import { computed, incidentProject, objectOf, opsAlert, type Point } from "../contracts/anomaly-log-incidents.ts";
import { noon } from "../contracts/outcome-samples.ts";
import { embeddedStores } from "../platforms/embedded/store-folder.ts";

const minute = 60_000;

const critical: AlertDefinition = { ...opsAlert, name: "alerts[1]", severity: "critical" };
const quiet: AlertDefinition = { ...opsAlert, name: "alerts[2]", recovery: false };

describe("notices of incidents", () => {
  let store: Awaited<ReturnType<typeof embeddedStores>>;
  before(async () => {
    store = await embeddedStores();
  });
  after(() => store.close());

  let series = 0;

  /** What is decided for each of some objects of one new series, one after the other. */
  async function decided(alerts: readonly AlertDefinition[], ...objects: readonly (readonly Point[])[]) {
    const country = `C${series++}`;
    const all: NotificationDraft[][] = [];
    for (const points of objects) {
      const outcome = await computed(store.records, objectOf(points, { country }), incidentProject(alerts));
      await store.records.commit([outcome]);
      all.push([...outcome.notifications]);
    }
    return all;
  }

  const topics = (all: readonly (readonly NotificationDraft[])[]) => all.map((one) => one.map(({ topic }) => topic));

  test("are two for 10,000 unusual points in ten objects: that it began, and that it is over", async () => {
    const objects = Array.from({ length: 10 }, (_, object) =>
      Array.from({ length: 1000 }, (_, at): Point => [(object * 1000 + at) / 1000, 11]),
    );
    const all = await decided([opsAlert], ...objects, [[300, 1]]);
    assert.deepEqual(topics(all), [["anomaly"], ...Array.from({ length: 9 }, () => []), ["recovery"]]);
    assert.match(all.at(-1)?.[0]?.subject ?? "", /\(10,000 values in 10 min\)$/);
  });

  test("of a file with many incidents tell of one and count the others, of the one that goes on if there is one", async () => {
    const month = Array.from({ length: 30 }, (_, day): Point[] => [
      [day * 300, 11],
      [day * 300 + 60, 1],
    ]).flat();
    const [over] = await decided([opsAlert], month);
    assert.deepEqual(
      over?.map(({ topic, incident }) => [topic, incident?.more]),
      [
        ["anomaly", 29],
        ["recovery", 0],
      ],
    );
    const [open] = await decided([opsAlert], [...month, [9000, 12]]);
    assert.deepEqual(
      open?.map(({ topic, incident }) => [topic, incident?.more]),
      [["anomaly", 30]],
    );
    assert.match(open?.[0]?.subject ?? "", /is 12,/);
  });

  test("go to an alert for critical ones when it is critical, and not before", async () => {
    const all = await decided([critical], [[0, 11]], [[1, 1_000]], [[2, 2_000]], [[90, 1]]);
    assert.deepEqual(topics(all), [[], ["anomaly"], [], ["recovery"]]);
    const never = await decided([critical], [[0, 11]], [[90, 1]]);
    assert.deepEqual(topics(never), [[], []]);
  });

  test("say that it is over unless the alert asks for the beginning alone", async () => {
    assert.deepEqual(topics(await decided([quiet], [[0, 11]], [[90, 1]])), [["anomaly"], []]);
  });

  test("have ids of their own for each alert, incident and kind", async () => {
    const all = (
      await decided([opsAlert, critical], [[0, 1_000]], [[90, 1]], [[200, 11]], [[201, 1_000]], [[300, 1]])
    ).flat();
    assert.deepEqual(all.map(({ topic }) => topic).sort(), [
      ...Array(4).fill("anomaly"),
      "escalation",
      ...Array(4).fill("recovery"),
    ]);
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  });

  test("are held back by a warning's cooldown only as warnings", async () => {
    const all = (await decided([opsAlert], [[0, 11]], [[90, 1]], [[200, 1_000]])).flat();
    const [warning, , worse] = all.map(({ group }) => group);
    assert.notEqual(warning, worse);
  });

  test("read well at night", async () => {
    const [opened, escalated, over] = (
      await decided([opsAlert], [[0, 11]], [[1, 12]], [[2, 13.5]], [[16, 1_000]], [[90, 1]])
    ).flat();
    const ids = (text = "") => text.replaceAll(/(anom|inc)_[0-9a-f]+/g, "$1_1").replaceAll(/C\d+/g, "DE");
    assert.equal(ids(opened?.subject), "orders: total of DE is 11, expected up to 10");
    assert.equal(
      ids(opened?.text),
      `total of DE was 11, expected up to 10, at 2026-11-16 12:00:00 UTC.

Why:       11 is 1 above the fixed band up to 10.
Severity:  warning: score 0.5455; critical is a score of 0.9 or 15 min
Rule:      spend, incident inc_1
Next:      you will hear when it becomes critical, and when it is over; not of each value

See it:    eventpulse anomalies show anom_1
All of it: eventpulse anomalies list --incident inc_1
Nothing wrong? Say so, and a rule that learns becomes more lenient with total of DE:
           eventpulse anomalies false-positive anom_1 --note "why"`,
    );
    assert.equal(ids(escalated?.subject), "CRITICAL orders: total of DE is still unusual (4 values in 16 min)");
    assert.equal(
      ids(escalated?.text),
      `total of DE is unusual since 2026-11-16 12:00:00 UTC (4 values in 16 min). The worst:
total of DE was 1000, expected up to 10, at 2026-11-16 12:16:00 UTC.

Why:       1000 is 990 above the fixed band up to 10.
Severity:  critical: it lasts 16 min, score 0.995
Rule:      spend, incident inc_1
Next:      you will hear when it is over; not of each value

See it:    eventpulse anomalies show anom_1
All of it: eventpulse anomalies list --incident inc_1
Nothing wrong? Say so, and a rule that learns becomes more lenient with total of DE:
           eventpulse anomalies false-positive anom_1 --note "why"`,
    );
    assert.equal(ids(over?.subject), "orders: total of DE is ordinary again (4 values in 16 min)");
    assert.equal(
      ids(over?.text),
      `total of DE is ordinary again since 2026-11-16 13:30:00 UTC. There is nothing to do.

Unusual:   2026-11-16 12:00:00 UTC to 2026-11-16 12:16:00 UTC (4 values in 16 min)
Worst:     1000, expected up to 10, at 2026-11-16 12:16:00 UTC
Severity:  critical: it lasts 16 min, score 0.995
Rule:      spend, incident inc_1

All of it: eventpulse anomalies list --incident inc_1`,
    );
    assert.deepEqual(Object.keys(over?.data ?? {}), Object.keys(opened?.data ?? {}), "webhooks have one form");
  });

  test("of a silence say since when nothing came, and how long that lasted", () => {
    const worst = { time: noon, field: "", value: 0, score: 0.7, expectedLow: 1, expectedHigh: null };
    const times = { openedAt: noon + 10 * minute, lastAt: noon + 10 * minute };
    const incident = { id: "inc_1", severity: "warning", ...times, points: 1, worst } as const;
    const found = { anomalyId: "anom_1", why: "No record for 10 min.", opened: true, escalated: false, overAt: null };
    const change: IncidentChange = { rule: "rate", key: "DE", incident, ...found };
    const [opened] = incidentNotices(opsAlert, { tenant: "acme", stream: "orders" }, [change]);
    assert.equal(opened?.subject, "orders: number of records of DE is 0, expected from 1 up");
    assert.match(
      opened?.text ?? "",
      /^number of records of DE was 0, expected from 1 up, since 2026-11-16 12:00:00 UTC\./,
    );
    const overAt = noon + 35 * minute;
    const ended = { ...change, opened: false, overAt, incident: { ...incident, lastAt: overAt } };
    const [over] = incidentNotices(opsAlert, { tenant: "acme", stream: "orders" }, [ended]);
    assert.equal(over?.subject, "orders: number of records of DE is ordinary again (25 min)");
  });
});
