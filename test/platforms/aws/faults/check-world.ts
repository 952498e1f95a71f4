import assert from "node:assert/strict";
import { anyAnomaly } from "../../../../src/model/anomaly.ts";
import { tenantDefault } from "../../../../src/model/glossary.ts";
import { anyFailure } from "../../../../src/model/job.ts";
import type { RawObject } from "../../../../src/model/raw-object.ts";
import { compileContract } from "../../../../src/pipeline/process/compile-contract.ts";
import { lostObject } from "../../../../src/pipeline/process/payload-object.ts";
import { failObject, processObject } from "../../../../src/pipeline/process/process-work.ts";
import { dynamoAnomalyLog } from "../../../../src/platforms/aws/anomaly-log.ts";
import { readCounters } from "../../../../src/platforms/aws/counters.ts";
import { dynamoFailureLog } from "../../../../src/platforms/aws/failure-log.ts";
import { dynamoIssueLog } from "../../../../src/platforms/aws/issue-log.ts";
import { keyText } from "../../../../src/platforms/aws/item.ts";
import { dynamoNotificationLog } from "../../../../src/platforms/aws/notification-log.ts";
import { readBalance } from "../../../../src/platforms/aws/pending-objects.ts";
import { recordKey } from "../../../../src/platforms/aws/record-items.ts";
import { dynamoRecordTable } from "../../../../src/platforms/aws/record-table.ts";
import { ExpectedState, type Winners } from "./expected-state.ts";
import { dependency } from "./fault-config.ts";
import { type Commit, type FaultWorld, project, start } from "./fault-world.ts";
import type { TableSnapshot } from "./table-snapshot.ts";

const contracts = new Map([...project.streams].map(([name, stream]) => [name, compileContract(stream)]));
const streams = [...project.streams.keys()];
const tenant = tenantDefault;
const everything = { tenant, stream: null, limit: 1000, cursor: null };
const minuteMillis = 60_000;
/** More than a world lasts. */
const minutes = 32 * 60;

/** Compares a world with what its commits would have left behind had nothing gone wrong. */
export class WorldCheck {
  readonly #world: FaultWorld;
  readonly #expected = new ExpectedState();
  #applied = 0;

  constructor(world: FaultWorld) {
    this.#world = world;
  }

  /** For when nothing is left to be delivered. */
  async run(actual: TableSnapshot): Promise<void> {
    const { commits } = this.#world;
    const winners = winnersOf(actual);
    for (const commit of commits.slice(this.#applied)) await this.#apply(commit, winners);
    this.#applied = commits.length;
    await this.#compareObjects(actual);
    await this.#compareLists(actual);
    await this.#compareSeries(actual);
  }

  async #apply(commit: Commit, winners: Winners): Promise<void> {
    const { rawKey, event, isDown, now } = commit;
    const { loadStates } = this.#expected;
    const subject = event === null ? ({ kind: "object" } as const) : ({ kind: "event", ...event } as const);
    const object = await this.#object(commit);
    if (event === null) assert(!this.#expected.objects.has(rawKey), `${rawKey} is committed once`);
    const context = { project, contracts, records: { loadStates }, random: () => 0 };
    const before = dependency.isDown;
    dependency.isDown = isDown;
    try {
      const outcome = this.#world.lost.has(rawKey)
        ? failObject(object, subject, null, "OBJECT_MISSING", "", project)
        : await processObject(object, subject, event?.index ?? null, context as never);
      this.#expected.apply(outcome, now, winners);
    } finally {
      dependency.isDown = before;
    }
  }

  async #object({ rawKey }: Commit): Promise<RawObject> {
    const known = this.#world.accepted.get(rawKey);
    const object = known ?? (await this.#world.raw.read(rawKey));
    assert(object !== null, `${rawKey} was accepted`);
    this.#world.accepted.set(rawKey, object);
    if (!this.#world.lost.has(rawKey)) return object;
    const { stream, events, receivedAt } = object.meta;
    return lostObject({ tenant, stream, events, rawKey }, receivedAt);
  }

  /** Every object is committed, nothing is pending, and all retries went to the queue. */
  async #compareObjects(actual: TableSnapshot): Promise<void> {
    const records = dynamoRecordTable(actual.table, options);
    for (const [key, expected] of this.#expected.objects) {
      const { applied, recordId, committedAt, ...counted } = (await records.objectResult(key)) ?? { applied: false };
      assert(applied && committedAt !== undefined, `${key} is marked`);
      assert.deepEqual(counted, expected, `what became of ${key}`);
    }
    const copied = [...this.#world.accepted.values()].filter((object) => object?.meta.principal === "inbox");
    assert.equal(copied.length, this.#world.files, "files that were put");
    for (const key of this.#world.accepted.keys()) assert(this.#expected.objects.has(key), `${key} is not lost`);
    assert.deepEqual(actual.startingWith("P#"), [], "nothing is pending");
    assert.deepEqual(actual.startingWith("B#"), [], "nothing is left to be handed over");
    assert.deepEqual([...this.#world.works].sort(), [...this.#expected.works].sort(), "retries that were handed over");
    assert(!actual.startingWith("O#").some(({ sk }) => sk.startsWith("Q#")), "no commit is half done");
  }

  async #compareLists({ table, items }: TableSnapshot): Promise<void> {
    const expected = this.#expected;
    const counters = await readCounters(table, tenant, streams);
    for (const [stream, counted] of expected.counters) assert.deepEqual(counters.get(stream), counted, stream);
    const balance = await readBalance(table, tenant, streams);
    for (const [stream, { received, duplicates, retrying }] of expected.counters) {
      const { accepted, inFlight } = balance.get(stream) ?? {};
      assert.deepEqual([accepted, inFlight], [received - duplicates, retrying], `balance of ${stream}`);
    }
    const records = dynamoRecordTable(table, options);
    const rows = [];
    for (const stream of streams) {
      const query = { ...everything, stream, from: null, to: null, order: "asc", where: [] } as const;
      rows.push(...(await records.query(query)).rows);
    }
    assertSame(
      rows.map(({ id, rawKey, rawIndex, dataJson, time, stream }) => [
        id,
        { rawKey, rawIndex, dataJson, time, stream },
      ]),
      expected.records,
      "records",
    );
    const failures = (await dynamoFailureLog(table, options).query({ ...anyFailure, ...everything, order: "asc" }))
      .rows;
    assertSame(
      failures.map((failure) => [failure.id, pickNames(failure, expected.failures.get(failure.id))]),
      expected.failures,
      "failures",
    );
    for (const { id, payloadBytes } of failures) {
      const payload = items.get(keyText({ pk: `F#${id}`, sk: "P" }))?.b;
      assert.equal(payload?.byteLength ?? 0, payloadBytes, `the bytes of ${id}`);
    }
    const issues = (await dynamoIssueLog(table).query({ ...everything, state: null, code: null })).rows;
    const byCause = Map.groupBy(expected.failures.values(), ({ fingerprint }) => fingerprint);
    assertSame(
      issues.map(({ fingerprint, total, waiting }) => [fingerprint, [total, waiting]]),
      new Map([...byCause].map(([fingerprint, { length }]) => [fingerprint, [length, length]])),
      "issues",
    );
    const states = await records.loadStates(tenant, [...expected.states.values()]);
    assertSame(
      states.map((state) => [`${state.rule} ${state.key}`, state]),
      expected.states,
      "detector states",
    );
    const anomalies = (await dynamoAnomalyLog(table).query({ ...anyAnomaly, ...everything })).rows;
    assertSame(
      anomalies.map((one) => [one.id, pickNames(one, expected.anomalies.get(one.id))]),
      expected.anomalies,
      "anomalies",
    );
    const notifications = (await dynamoNotificationLog(table).query({ tenant, limit: 1000, cursor: null })).rows;
    // Those of issues are decided by the sweep, not in commits.
    const told = notifications.filter(({ topic }) => topic !== "failures");
    assertSame(
      told.map(({ id, suppressed }) => [id, { suppressed }]),
      expected.notifications,
      "notifications",
    );
  }

  async #compareSeries({ table }: TableSnapshot): Promise<void> {
    const records = dynamoRecordTable(table, options);
    const rows: [string, unknown][] = [];
    for (const stream of streams) {
      for (const field of ["", "value"]) {
        const query = { tenant, stream, field, from: start, to: start + minutes * minuteMillis, points: minutes };
        const { points } = await records.series(query);
        for (const { time, count, min, max, avg } of points) {
          rows.push([
            `${stream} ${field} ${time}`,
            field === "" ? count : [count, min, max, Math.round((avg ?? 0) * count)],
          ]);
        }
      }
    }
    assertSame(
      rows,
      new Map(
        [...this.#expected.rollups].map(([name, { count, min, max, sum }]) => [
          name,
          name.includes("  ") ? count : [count, min, max, sum],
        ]),
      ),
      "series",
    );
  }
}

const options = { outbox: { add: () => {}, dispatch: async () => {} } } as never;

function winnersOf(actual: TableSnapshot): Winners {
  return {
    recordOf(id, stream) {
      const item = actual.items.get(keyText(recordKey({ tenant, stream }, { id })));
      if (item === undefined) return null;
      const { r: rawKey, n: index, c: content } = item as unknown as { r: string; n: number; c: number };
      return { rawKey, index, content };
    },
    hasFailure: (id) => actual.items.has(keyText({ pk: `F#${id}`, sk: "F" })),
  };
}

/** Of `row`, what the expected one names. */
function pickNames(row: object, expected: object | undefined): unknown {
  if (expected === undefined) return row;
  return Object.fromEntries(Object.keys(expected).map((name) => [name, Reflect.get(row, name)]));
}

function assertSame(
  rows: readonly (readonly [string, unknown])[],
  expected: ReadonlyMap<string, unknown>,
  what: string,
): void {
  assert.equal(new Set(rows.map(([id]) => id)).size, rows.length, `${what}: each once`);
  const sorted = (entries: Iterable<readonly [string, unknown]>) =>
    Object.fromEntries([...entries].sort(([left], [right]) => (left < right ? -1 : 1)));
  assert.deepEqual(sorted(rows), sorted(expected), what);
}
