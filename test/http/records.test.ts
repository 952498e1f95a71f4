import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "csv-parse/sync";
import { fixture, fixtureMissing } from "../fixtures.ts";
import { jsonOf, type PageBody, problemOf, readJson, type TestApp, withApp } from "./app-harness.ts";

interface RecordBody {
  readonly id: string;
  readonly stream: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const path = "/v1/streams/orders/records";
const naughtyStrings = "json/naughty-strings.json";

async function sendOrders(app: TestApp, count: number): Promise<void> {
  await app.send(
    "orders",
    Array.from({ length: count }, (_, index) => ({
      id: `o-${index}`,
      total: index + 1,
      country: index % 2 ? "DE" : "FR",
    })),
  );
  await app.process();
}

/** Follows the Link headers. */
async function allPages(app: TestApp, first: string): Promise<readonly PageBody<RecordBody>[]> {
  const pages: PageBody<RecordBody>[] = [];
  for (let next: string | null = first; next !== null; ) {
    const response: Response = await app.request(next);
    const page: PageBody<RecordBody> = await jsonOf(response);
    pages.push(page);
    const link = response.headers.get("link");
    assert.equal(link === null, page.page.next === null);
    next = link === null ? null : (/^<([^>]+)>; rel="next"$/.exec(link)?.[1] ?? null);
  }
  return pages;
}

describe("listing records", () => {
  test(
    "goes page by page along the Link header, each record once",
    withApp(async (app) => {
      await sendOrders(app, 25);
      const pages = await allPages(app, `${path}?limit=10&order=asc&where[total][gte]=3`);
      assert.deepEqual(
        pages.map(({ data }) => data.length),
        [10, 10, 3],
      );
      assert.deepEqual(
        pages.map(({ page }) => page.limit),
        [10, 10, 10],
      );
      const ids = pages.flatMap(({ data }) => data.map(({ id }) => id));
      assert.equal(new Set(ids).size, 23);
      assert.deepEqual(ids, ids.toSorted());
    }),
  );

  test(
    "holds every condition at once",
    withApp(async (app) => {
      await sendOrders(app, 20);
      const { data } = await jsonOf<PageBody<RecordBody>>(
        app.request(`${path}?where[country][eq]=DE&where[total][gt]=4&where[total][lte]=8`),
      );
      assert.deepEqual(data.map((record) => record.data["total"]).toSorted(), [6, 8]);
    }),
  );

  test(
    "refuses a cursor it did not make",
    withApp(async (app) => {
      const response = await app.request(`${path}?cursor=made-up`);
      assert.equal(response.status, 400);
      assert.equal((await problemOf(response)).code, "CURSOR_INVALID");
    }),
  );

  test(
    "gives the stored JSON as it is: order of keys, numbers, names",
    withApp(async (app) => {
      const data =
        '{"z":1e2,"a":-0.5,"__proto__":{"x":1},"constructor":"c","big":9007199254740991,"text":"\\u2028\\"<\\/script>"}';
      const sent = await app.request("/v1/streams/notes/events", { method: "POST", body: data });
      assert.equal(sent.status, 202);
      await app.process();
      const text = await (await app.request("/v1/streams/notes/records")).text();
      const [record] = (JSON.parse(text) as PageBody<RecordBody>).data;
      assert.deepEqual(Object.keys(record?.data ?? {}), ["z", "a", "__proto__", "constructor", "big", "text"]);
      assert.deepEqual(record?.data, JSON.parse(data));
    }),
  );
});

describe("one record", () => {
  test(
    "is found by its id and by the client's",
    withApp(async (app) => {
      await sendOrders(app, 2);
      const byClient = await jsonOf<RecordBody>(app.request(`${path}/o-1`));
      const byId = await jsonOf<RecordBody>(app.request(`${path}/${byClient.id}`));
      assert.deepEqual(byId, byClient);
      assert.equal(byId.stream, "orders");
      assert.match(byId.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }),
  );

  test(
    "has a strong ETag, and is not sent again to who has it",
    withApp(async (app) => {
      await sendOrders(app, 2);
      const etag = (await app.request(`${path}/o-1`)).headers.get("etag") ?? "";
      assert.match(etag, /^"[\w-]+"$/);
      for (const header of [etag, `"other", ${etag}`, `W/${etag}`, "*"]) {
        const again = await app.request(`${path}/o-1`, { headers: { "if-none-match": header } });
        assert.equal(again.status, 304, header);
        assert.equal(await again.text(), "");
        assert.equal(again.headers.get("etag"), etag);
      }
      assert.equal((await app.request(`${path}/o-0`, { headers: { "if-none-match": etag } })).status, 200);
    }),
  );

  test(
    "that is not there is a 404",
    withApp(async (app) => {
      for (const id of ["o-9", `evt_${"0".repeat(32)}`, "evt_", "%00", "'--"]) {
        const response = await app.request(`${path}/${id}`);
        assert.equal(response.status, 404);
        assert.equal((await problemOf(response)).code, "RECORD_UNKNOWN");
      }
    }),
  );
});

describe("other forms", () => {
  test(
    "NDJSON has one record a line, the same as JSON gives",
    withApp(async (app) => {
      await app.request("/v1/streams/notes/events", { method: "POST", body: '[{"a":\n\r\n1},{"b":"\\n"}]' });
      await app.process();
      const url = "/v1/streams/notes/records?order=asc";
      const { data } = await jsonOf<PageBody<RecordBody>>(app.request(url));
      const response = await app.request(url, { headers: { accept: "application/x-ndjson" } });
      assert.equal(response.headers.get("content-type"), "application/x-ndjson");
      const lines = (await response.text()).split("\n");
      assert.equal(lines.pop(), "");
      assert.deepEqual(
        lines.map((line) => JSON.parse(line)),
        data,
      );
    }),
  );

  test(
    "CSV has a column for each field of any row, and the page's Link",
    withApp(async (app) => {
      await app.send("notes", [
        { id: 1, "a,b": true, nested: { x: [1] }, empty: "", nothing: null },
        { later: -0.5, __proto__x: "y" },
      ]);
      await app.process();
      const response = await app.request("/v1/streams/notes/records?order=asc&limit=2", {
        headers: { accept: "text/csv" },
      });
      assert.match(response.headers.get("content-type") ?? "", /^text\/csv/);
      const [header = [], first = [], second = []] = parse(await response.text()) as string[][];
      assert.deepEqual(header.slice(0, 4), ["id", "time", "receivedAt", "eventId"]);
      assert.deepEqual(header.slice(4), [
        "data.id",
        "data.a,b",
        "data.nested",
        "data.empty",
        "data.nothing",
        "data.later",
        "data.__proto__x",
      ]);
      assert.deepEqual(first.slice(4), ["1", "true", '{"x":[1]}', "", "", "", ""]);
      assert.deepEqual(second.slice(4), ["", "", "", "", "", "-0.5", "y"]);
    }),
  );

  test(
    "CSV tells an empty text from a missing one",
    withApp(async (app) => {
      await app.send("notes", [{ a: "", b: null, c: 1 }]);
      await app.process();
      const text = await (await app.request("/v1/streams/notes/records", { headers: { accept: "text/csv" } })).text();
      assert.match(text, /,"",,1\r\n$/);
    }),
  );

  test(
    "the Accept header decides by quality; what is not there gives JSON",
    withApp(async (app) => {
      await sendOrders(app, 1);
      for (const [accept, expected] of [
        ["text/csv;q=0.5, application/json;q=0.4", "text/csv"],
        ["text/*", "text/csv"],
        ["text/csv;q=0, */*", "application/json"],
        ["image/png", "application/json"],
        ["*/*", "application/json"],
        [";;;q=,", "application/json"],
      ] as const) {
        const response = await app.request(path, { headers: { accept } });
        assert.equal(response.headers.get("content-type")?.split(";")[0], expected, accept);
      }
    }),
  );

  test(
    "naughty strings come back unchanged from JSON, NDJSON and CSV",
    { skip: fixtureMissing(naughtyStrings) },
    withApp(async (app) => {
      const strings = await readJson<string[]>(fixture(naughtyStrings));
      await app.send(
        "notes",
        strings.map((text, index) => ({ index, text, [`k${text}`]: text })),
      );
      await app.process();
      const url = "/v1/streams/notes/records?order=asc&limit=1000";
      const byIndex = (rows: readonly (readonly [number, string])[]) =>
        rows.toSorted((left, right) => left[0] - right[0]).map(([, text]) => text);

      const { data } = await jsonOf<PageBody<RecordBody>>(app.request(url));
      const shown = data.map((row) => [Number(row.data["index"]), String(row.data["text"])] as const);
      assert.deepEqual(byIndex(shown), strings);
      for (const row of data) assert.equal(row.data[`k${row.data["text"]}`], row.data["text"]);

      const ndjson = await (await app.request(url, { headers: { accept: "application/x-ndjson" } })).text();
      assert.deepEqual(
        ndjson
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line)),
        data,
      );

      const csv = await (await app.request(url, { headers: { accept: "text/csv" } })).text();
      const [header = [], ...rows] = parse(csv) as string[][];
      const [index, text] = [header.indexOf("data.index"), header.indexOf("data.text")];
      assert.deepEqual(byIndex(rows.map((row) => [Number(row[index]), row[text] ?? ""])), strings);
      for (const string of strings) assert.ok(header.includes(`data.k${string}`), JSON.stringify(string));
    }),
  );
});

describe("a field over time", () => {
  test(
    "has counts, extremes and the mean, and every anomaly",
    withApp(async (app) => {
      const times = ["2026-01-01T00:00:10Z", "2026-01-01T00:00:50Z", "2026-01-01T02:30:00Z"];
      await app.send(
        "orders",
        times.map((at, index) => ({ id: `o-${index}`, total: [1, 3, 5000][index], at })),
      );
      await app.process();
      const { data } = await jsonOf<PageBody<RecordBody>>(app.request(path));
      const from = new Date(Date.parse(data.at(-1)?.time ?? "") - 60_000).toISOString();
      const series = await jsonOf<{
        from: string;
        bucketMillis: number;
        points: { count: number; min: number; max: number; avg: number }[];
        anomalies: { value: number }[];
      }>(app.request(`/v1/streams/orders/series?field=cents&points=1&from=${from}`));
      assert.equal(series.from, from);
      const sum = series.points.reduce((total, point) => total + point.count * point.avg, 0);
      assert.equal(
        series.points.reduce((count, point) => count + point.count, 0),
        3,
      );
      assert.equal(Math.round(sum), 500_400);
      assert.equal(Math.max(...series.points.map(({ max }) => max)), 500_000);
      assert.deepEqual(
        series.anomalies.map(({ value }) => value),
        [500_000],
      );
    }),
  );

  test(
    "refuses a range that ends before it begins",
    withApp(async (app) => {
      const response = await app.request("/v1/streams/orders/series?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z");
      assert.equal((await problemOf(response)).code, "PARAMETER_INVALID");
    }),
  );
});

describe("streams", () => {
  test(
    "are listed by name",
    withApp(async (app) => {
      const { data, page } = await jsonOf<PageBody<{ name: string; key: string | null }>>(app.request("/v1/streams"));
      assert.deepEqual(
        data.map(({ name, key }) => [name, key]),
        [
          ["customers", "id"],
          ["notes", null],
          ["orders", "id"],
        ],
      );
      assert.equal(page.next, null);
    }),
  );

  test(
    "show contract, rates, statistics of numeric fields, and the newest records",
    withApp(async (app) => {
      await sendOrders(app, 5);
      const stream = await jsonOf<{
        contract: { properties: Record<string, unknown> };
        contractVersion: string;
        rates: unknown;
        fields: Record<string, { count: number; min: number; max: number; avg: number }>;
        samples: RecordBody[];
      }>(app.request("/v1/streams/orders"));
      assert.deepEqual(Object.keys(stream.contract.properties), ["id", "total", "country", "at"]);
      assert.match(stream.contractVersion, /^[0-9a-f]{12}$/);
      assert.deepEqual(stream.rates, { lastMinute: 5, lastHour: 5, lastDay: 5 });
      assert.deepEqual(stream.fields, {
        total: { count: 5, min: 1, max: 5, avg: 3 },
        cents: { count: 5, min: 100, max: 500, avg: 300 },
      });
      assert.equal(stream.samples.length, 3);
    }),
  );
});
