import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { DetectorState, StoredDetectorState } from "../../model/anomaly.ts";
import { EventPulseError } from "../../model/error.ts";
import type { DetectorStates, DueState } from "../../ports/detector-states.ts";
import { anomalyItem } from "./anomaly-items.ts";
import { entityOf, type Item, type ItemKey, keyText } from "./item.ts";
import { allShards, itemKeys, listKeys, shardOf, shards, timeText } from "./item-keys.ts";
import { writeNotifications } from "./notification-items.ts";
import type { Table } from "./table.ts";
import { transaction, type UnitOfWork } from "./unit-of-work.ts";

/** States whose items are read at once. */
const dueAtOnce = 50;

/** States of detectors in the table. */
export function dynamoDetectorStates(table: Table): DetectorStates {
  return {
    async *due(now) {
      for (const shard of allShards(shards.states)) {
        const range = { index: "g2", partition: listKeys.statesDue(shard), to: timeText(now) } as const;
        let names: StateName[] = [];
        for await (const item of table.queryAll(range)) {
          names.push(nameOf(item));
          if (names.length < dueAtOnce) continue;
          yield* dueStates(table, names);
          names = [];
        }
        yield* dueStates(table, names);
      }
    },
    async commit({ tenant, stream, state, anomalies, notifications, expiresAt }) {
      try {
        await transaction(table, async (unit) => {
          await writeDetectorStates(unit, tenant, [state]);
          for (const draft of anomalies) {
            const item = anomalyItem(tenant, stream, draft, null, expiresAt);
            if ((await unit.load(item)) === null) unit.put(item);
          }
          if (notifications.length > 0) await writeNotifications(unit, notifications, table.clock());
        });
        return "committed";
      } catch (error) {
        if (error instanceof EventPulseError && error.code === "STATE_STALE") return "stale";
        throw error;
      }
    },
  };
}

interface StateName {
  readonly tenant: string;
  readonly rule: string;
  readonly key: string;
}

/** From the name of its item: neither a tenant nor a rule has a "#". */
function nameOf({ pk }: ItemKey): StateName {
  const [, tenant = "", rule = "", ...key] = pk.split("#");
  return { tenant, rule, key: key.join("#") };
}

/** Read from the items themselves: the index may be a second behind. */
async function* dueStates(table: Table, names: readonly StateName[]): AsyncGenerator<DueState> {
  for (const [tenant, its] of Map.groupBy(names, ({ tenant: one }) => one)) {
    for (const state of await readDetectorStates(table, tenant, its)) yield { tenant, state };
  }
}

export function stateKey(tenant: string, { rule, key }: Pick<DetectorState, "rule" | "key">): ItemKey {
  return itemKeys.state(tenant, rule, key);
}

function stateItem(tenant: string, state: DetectorState): Item {
  const { stateJson, dueAt } = state;
  // A state of `streaming` is 12 KB of JSON and 5 KB deflated, and each KB is two write units of a transaction.
  const item = { ...stateKey(tenant, state), b: deflateRawSync(stateJson) };
  if (dueAt === undefined) return item;
  return { ...item, g2p: listKeys.statesDue(shardOf(item.pk, shards.states)), g2s: timeText(dueAt) };
}

/**
 * Within a unit: stores the new state of each detector. The version of a state is the count of writes of its item, which the
 * unit keeps. Throws STATE_STALE when one has another version than it was computed from.
 */
export async function writeDetectorStates(
  unit: UnitOfWork,
  tenant: string,
  states: readonly DetectorState[],
): Promise<void> {
  await unit.loadAll(states.map((state) => stateKey(tenant, state)));
  for (const state of states) {
    const { rule, version } = state;
    const key = stateKey(tenant, state);
    // From the unit's memory, which knows what was put before: a second state of one detector follows on the first.
    const stored = await unit.load(key);
    if ((stored?.v ?? 0) !== version) {
      throw new EventPulseError(
        "STATE_STALE",
        `The state of rule ${rule} is no longer at version ${version}: load it again and process the object again.`,
      );
    }
    unit.put({ ...stateItem(tenant, state), v: version + 1 });
  }
}

/** The states asked for, in the same order; version 0 and "null" for those that have none, each with its false positives. */
export async function readDetectorStates(
  table: Table,
  tenant: string,
  keys: readonly { readonly rule: string; readonly key: string }[],
): Promise<StoredDetectorState[]> {
  const found = await table.getAll(keys.flatMap((one) => [stateKey(tenant, one), falsePositivesKey(tenant, one)]));
  return keys.map(({ rule, key }) => {
    const item = found.get(keyText(itemKeys.state(tenant, rule, key)));
    const falsePositives = falsePositivesOf(found.get(keyText(itemKeys.falsePositives(tenant, rule, key))) ?? null);
    return { rule, key, version: item?.v ?? 0, stateJson: stateJsonOf(item ?? null), falsePositives };
  });
}

function stateJsonOf(item: Item | null): string {
  return item?.b === undefined ? "null" : inflateRawSync(item.b).toString();
}

function falsePositivesKey(tenant: string, { rule, key }: Pick<DetectorState, "rule" | "key">): ItemKey {
  return itemKeys.falsePositives(tenant, rule, key);
}

function falsePositivesOf(item: Item | null): number {
  return item === null ? 0 : entityOf<{ readonly count: number }>(item).count;
}

/** Within a unit: reads how many false positives are counted of a rule and key. */
export async function loadFalsePositives(unit: UnitOfWork, tenant: string, rule: string, key: string): Promise<number> {
  return falsePositivesOf(await unit.load(itemKeys.falsePositives(tenant, rule, key)));
}

/** Within a unit that has read them. */
export function putFalsePositives(unit: UnitOfWork, tenant: string, rule: string, key: string, count: number): void {
  unit.put({ ...itemKeys.falsePositives(tenant, rule, key), j: JSON.stringify({ count }) });
}
