import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { callsPerSeries } from "../../../src/cli/aws-cost.ts";
import type { RecordDraft } from "../../../src/model/record.ts";
import { seededRandom } from "../../../src/pipeline/ingest/simulate-random.ts";
import { streamingDetector } from "../../../src/pipeline/process/detect/streaming-detector.ts";
import { itemKeys } from "../../../src/platforms/aws/item-keys.ts";
import { Outbox } from "../../../src/platforms/aws/outbox.ts";
import { PendingObjects } from "../../../src/platforms/aws/pending-objects.ts";
import { dynamoRecordTable } from "../../../src/platforms/aws/record-table.ts";
import { newRawKey, noon, outcome, rawMeta, recordDraft, tenant } from "../../contracts/outcome-samples.ts";
import { testTable } from "./aws-services.ts";

const events = 100;
const unitsPerEventMax = 1.25;
/** Key, version and the names of an item, rounded up. */
const itemNamesBytes = 100;

/** An event as a shop sends them: 1 KB of JSON, half of it text that repeats from event to event. */
function order(index: number) {
  return {
    orderId: randomUUID(),
    customer: { id: randomUUID(), name: `Customer ${index}`, mail: `customer-${index}@example.com`, country: "DE" },
    total: index * 7.5,
    currency: "EUR",
    items: Array.from({ length: 8 }, (_, item) => ({
      sku: randomUUID(),
      title: `Article ${item} of the catalogue`,
      quantity: 1 + (item % 3),
      price: 9.99 + item,
    })),
  };
}

for (const identified of [true, false]) {
  const whose = identified ? "whose clients identify them" : "that are identified by their place";
  test(`commits a batch of 100 events of 1 KB ${whose} for at most 1.25 write units an event`, async () => {
    const { table, client, remove } = await testTable(() => noon + 60_000);
    try {
      const units = countUnits(client);
      const store = dynamoRecordTable(table, { outbox: new Outbox(table, { send: async () => {} }) });
      const pending = new PendingObjects(table);
      for (const [turn, first] of [true, false].entries()) {
        const rawKey = newRawKey();
        const records: RecordDraft[] = Array.from({ length: events }, (_, index) => {
          const data = order(index);
          const eventId = identified ? data.orderId : null;
          return recordDraft({
            index,
            eventId,
            data,
            time: noon + turn * 3_600_000 + index * 50,
            numbers: [index, 1, 2],
          });
        });
        const bytes = records.reduce((sum, { original }) => sum + original.byteLength, 0) / events;
        assert.ok(bytes >= 1000, `${bytes} bytes an event`);
        units.reset();
        await pending.add(rawKey, rawMeta({ events }));
        const states = await store.loadStates(
          tenant,
          ["DE", "FR", "IT"].map((key) => ({ rule: "spend", key })),
        );
        const written = states.map((state) => ({
          ...state,
          stateJson: JSON.stringify({ values: Array(40).fill(1.5) }),
        }));
        await store.commit([
          outcome({ rawKey, records, rollupFields: ["total", "items", "discount"], states: written }),
        ]);
        const { write, read, calls } = units;
        console.log(`${first ? "first" : "next"} batch: ${write} write units, ${read} read units, ${calls} calls`);
        assert.ok(write <= events * unitsPerEventMax, `${write} write units for ${events} events`);
        assert.ok(read <= 25, `${read} read units`);
      }
    } finally {
      await remove();
    }
  });
}

test("the state of a series that a streaming rule follows costs at most what the price is reckoned with", async () => {
  const { table, client, remove } = await testTable(() => noon + 60_000);
  try {
    const units = countUnits(client);
    const store = dynamoRecordTable(table, { outbox: new Outbox(table, { send: async () => {} }) });
    const stateJson = JSON.stringify({ detector: noisyState() });
    const used = async (keys: readonly string[]) => {
      units.reset();
      const states = await store.loadStates(
        tenant,
        keys.map((key) => ({ rule: "spend", key })),
      );
      const written = states.map((state) => ({ ...state, stateJson }));
      const records = [recordDraft({ eventId: randomUUID() })];
      await store.commit([outcome({ rawKey: newRawKey(), records, states: written })]);
      return units.read;
    };
    await used(["DE", "FR", "IT", "PL"]);
    const [one, four] = [await used(["DE"]), await used(["DE", "FR", "IT", "PL"])];
    const item = await table.get(itemKeys.state(tenant, "spend", "DE"));
    // DynamoDB Local names the same units for every transaction: these are by the size of the item, two for each KB.
    const write = 2 * Math.ceil(((item?.b?.byteLength ?? 0) + itemNamesBytes) / 1024);
    const read = (four - one) / 3;
    console.log(`a series: ${write} write units, ${read} read units`);
    assert.ok(write > 2 && write <= callsPerSeries.writeUnits, `${write} write units`);
    assert.ok(read > 0 && read <= callsPerSeries.readUnits, `${read} read units`);
  } finally {
    await remove();
  }
});

/** What is left of three weeks of noise: nothing fills a state more. */
function noisyState(): unknown {
  const detector = streamingDetector({ falseAlarmsPerWeek: 1 });
  const random = seededRandom(3);
  let state: ReturnType<typeof detector.judge>["state"] | null = null;
  for (let row = 0; row < 6_000; row++) {
    state = detector.judge(
      { time: noon + row * 300_000, value: 1000 * random.next() ** 3, falsePositives: 0 },
      state,
    ).state;
  }
  return state;
}

/** Sums up what calls consume: every command is made to say it. */
function countUnits(client: DynamoDBDocumentClient) {
  const sums = {
    write: 0,
    read: 0,
    calls: 0,
    reset() {
      sums.write = 0;
      sums.read = 0;
      sums.calls = 0;
    },
  };
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const answer = await next({
          ...args,
          input: { ...args.input, ReturnConsumedCapacity: "TOTAL" },
        } as typeof args);
        const { ConsumedCapacity: consumed } = answer.output as { ConsumedCapacity?: Units | Units[] };
        const list = consumed === undefined ? [] : [consumed].flat();
        const total = list.reduce((sum, { CapacityUnits: units = 0 }) => sum + units, 0);
        sums.calls++;
        sums[/Get|Query/.test(commandName) ? "read" : "write"] += total;
        return answer;
      },
    { step: "initialize", name: "countUnits" },
  );
  return sums;
}

interface Units {
  readonly CapacityUnits?: number;
}
