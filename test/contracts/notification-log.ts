import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IncidentNotice, NotificationDraft } from "../../src/model/notification.ts";
import { notificationDraft, only, outcome, tenant } from "./outcome-samples.ts";
import { allRows, type StoreHarness, withStore } from "./store-harness.ts";

/** One test for each sentence of `src/ports/notification-log.ts`, and of `NotificationDraft`'s on ids and groups. */
export function notificationLogContract(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  async function decide({ records, settle, wait }: StoreHarness, ...drafts: readonly Partial<NotificationDraft>[]) {
    for (const change of drafts) {
      await records.commit([outcome({ notifications: [notificationDraft(change)] })]);
      await wait(10);
    }
    await settle();
  }

  const numbered = (count: number) =>
    Array.from({ length: count }, (_, number) => ({ id: `ntf_${number}`, group: `group ${number}` }));

  describe("notification-log", () => {
    test(
      "gives up to `max` pending notifications that are due, oldest first",
      store(async (harness) => {
        await decide(harness, ...numbered(5));
        const ids = async (max: number) => (await harness.notifications.due(max)).map(({ id }) => id);
        assert.deepEqual(await ids(3), ["ntf_0", "ntf_1", "ntf_2"]);
        assert.deepEqual(await ids(100), ["ntf_0", "ntf_1", "ntf_2", "ntf_3", "ntf_4"]);
      }),
    );

    test(
      "gives a notification as it was decided",
      store(async (harness) => {
        await decide(harness, {});
        const { createdAt, ...rest } = only(await harness.notifications.due(10));
        const { group: _, cooldownMillis: __, incident: ___, ...draft } = notificationDraft();
        assert.deepEqual(rest, { ...draft, state: "pending", attempts: 0, suppressed: 0, lastError: null });
        assert.ok(Math.abs(createdAt - harness.now()) < 60_000);
      }),
    );

    test(
      "gives one by its id, also after it was settled, and null for an id that there is not",
      store(async (harness) => {
        const { notifications, settle } = harness;
        await decide(harness, ...numbered(2));
        await notifications.settle("ntf_1", "captured", null, 0);
        await settle();
        const found = await notifications.get(tenant, "ntf_1");
        assert.deepEqual([found?.id, found?.state, found?.text], ["ntf_1", "captured", notificationDraft().text]);
        assert.equal(await notifications.get(tenant, "ntf_2"), null);
      }),
    );

    test(
      "records an attempt; `pending` asks for another after the delay, other states for none",
      store(async (harness) => {
        const { notifications, settle, wait } = harness;
        await decide(harness, ...numbered(4));
        await notifications.settle("ntf_0", "pending", "refused", 5000);
        await notifications.settle("ntf_1", "delivered", null, 0);
        await notifications.settle("ntf_2", "captured", null, 0);
        await notifications.settle("ntf_3", "failed", "gone", 0);
        await settle();
        assert.deepEqual(await notifications.due(10), []);
        const rows = (await notifications.query({ tenant, limit: 10, cursor: null })).rows;
        assert.deepEqual(
          rows.map(({ id, state, attempts, lastError }) => [id, state, attempts, lastError]),
          [
            ["ntf_3", "failed", 1, "gone"],
            ["ntf_2", "captured", 1, null],
            ["ntf_1", "delivered", 1, null],
            ["ntf_0", "pending", 1, "refused"],
          ],
        );
        await wait(5000);
        assert.equal(only(await notifications.due(10)).id, "ntf_0");
        await notifications.settle("ntf_0", "delivered", null, 0);
        await settle();
        assert.deepEqual(await notifications.due(10), []);
        assert.equal((await notifications.query({ tenant, limit: 10, cursor: null })).rows[3]?.attempts, 2);
      }),
    );

    test(
      "lists newest first, page by page, and throws CURSOR_INVALID",
      store(async (harness) => {
        await decide(harness, ...numbered(7));
        const ids = numbered(7).map(({ id }) => id);
        for (const limit of [1, 3, 7]) {
          const rows = await allRows((request) => harness.notifications.query({ tenant, ...request }), limit);
          assert.deepEqual(
            rows.map(({ id }) => id),
            ids.toReversed(),
          );
        }
        for (const cursor of ["", "x", "WyJub3RpZmljYXRpb25zIl0"]) {
          await assert.rejects(harness.notifications.query({ tenant, limit: 1, cursor }), { code: "CURSOR_INVALID" });
        }
      }),
    );

    test(
      "shows a tenant its own, and delivers those of all",
      store(async ({ notifications, ...harness }) => {
        await decide({ notifications, ...harness }, { id: "ntf_0" }, { id: "ntf_1", tenant: "globex" });
        assert.deepEqual(
          (await notifications.due(10)).map((one) => [one.id, one.tenant]),
          [
            ["ntf_0", tenant],
            ["ntf_1", "globex"],
          ],
        );
        for (const [own, id] of [
          [tenant, "ntf_0"],
          ["globex", "ntf_1"],
        ] as const) {
          const { rows } = await notifications.query({ tenant: own, limit: 10, cursor: null });
          assert.equal(only(rows).id, id);
          assert.equal((await notifications.get(own, id))?.tenant, own);
        }
        assert.equal(await notifications.get("globex", "ntf_0"), null);
      }),
    );

    test(
      "holds nothing back because of another tenant's group of the same name",
      store(async (harness) => {
        const named = (id: string, own: string) => ({ id, tenant: own, group: "spend", cooldownMillis: 60_000 });
        await decide(harness, named("ntf_1", tenant), named("ntf_2", "globex"), named("ntf_3", "globex"));
        const due = await harness.notifications.due(10);
        assert.deepEqual(
          due.map(({ id }) => id),
          ["ntf_1", "ntf_2"],
        );
      }),
    );

    test(
      "keeps one notification for an id that is decided twice",
      store(async (harness) => {
        await decide(harness, { subject: "first" }, { subject: "second" });
        assert.equal(only(await harness.notifications.due(10)).subject, "first");
      }),
    );

    test(
      "holds notifications of a group back within its cooldown, and counts them into the next one",
      store(async (harness) => {
        const { notifications, wait } = harness;
        const named = (id: string, group = "spend") => ({ id: `ntf_${id}`, group, cooldownMillis: 60_000 });
        await decide(harness, named("1"), named("2"), named("other", "weight"), named("3"));
        await wait(60_000);
        await decide(harness, named("4"), named("5"));
        await wait(60_000);
        await decide(harness, named("6"));
        await wait(60_000);
        await decide(harness, named("7"));
        assert.deepEqual(
          (await notifications.due(10)).map(({ id, suppressed }) => [id, suppressed]),
          [
            ["ntf_1", 0],
            ["ntf_other", 0],
            ["ntf_4", 2],
            ["ntf_6", 1],
            ["ntf_7", 0],
          ],
        );
      }),
    );

    const ofIncident = (incident: Partial<IncidentNotice>) => ({
      incident: { rule: "spend", key: "DE", more: 0, follows: [], ...incident },
    });

    test(
      "counts the others that one stands for as if they came right behind it",
      store(async (harness) => {
        const { notifications, wait } = harness;
        const named = (id: string, more: number) => ({
          id: `ntf_${id}`,
          cooldownMillis: 60_000,
          ...ofIncident({ more }),
        });
        await decide(harness, named("1", 3));
        await decide(harness, named("2", 2));
        await wait(60_000);
        await decide(harness, named("3", 0));
        assert.deepEqual(
          (await notifications.due(10)).map(({ id, suppressed }) => [id, suppressed]),
          [
            ["ntf_1", 0],
            ["ntf_3", 3 + 1 + 2],
          ],
        );
      }),
    );

    test(
      "keeps one that follows others whenever one of them is there, whatever the cooldown, and else never",
      store(async (harness) => {
        const { notifications, wait } = harness;
        const named = (id: string, follows: readonly string[] = []) => ({
          id: `ntf_${id}`,
          cooldownMillis: 60_000,
          ...ofIncident({ follows }),
        });
        await decide(harness, named("opened"), named("over", ["ntf_opened", "ntf_critical"]));
        await decide(harness, named("held back"));
        await decide(harness, named("over too", ["ntf_held back"]));
        await decide(harness, named("over", ["ntf_opened"]));
        const ids = async () => (await notifications.due(10)).map(({ id, suppressed }) => [id, suppressed]);
        assert.deepEqual(await ids(), [
          ["ntf_opened", 0],
          ["ntf_over", 0],
        ]);
        await wait(60_000);
        await decide(harness, named("next"));
        assert.deepEqual((await ids()).at(-1), ["ntf_next", 1], "and it is not counted as held back");
      }),
    );
  });
}
