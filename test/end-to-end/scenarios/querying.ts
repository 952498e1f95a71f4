import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { expectProblem, isoTime, type Platform, type RecordRow, type Running } from "../running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const order = z.object({ id: z.string(), total: z.number(), at: z.iso.datetime() }).loose();
const orders = stream({ schema: order, key: "id", time: "at" });
const paged = stream({ schema: order, key: "id", time: "at" });
export default defineConfig({ name: "querying", streams: { orders, paged } });
`;

const start = Date.UTC(2026, 0, 31);
const minute = 60_000;
const orders = [
  { id: "a", total: 5, country: "DE", paid: true, items: { first: "tea" }, at: isoTime(start) },
  { id: "b", total: 10, country: "FR", paid: false, note: null, at: isoTime(start + minute) },
  { id: "c", total: 10.5, country: "DE", items: { first: "teapot" }, at: isoTime(start + 2 * minute) },
  { id: "d", total: -3, country: "Ünterland", at: isoTime(start + 3 * minute) },
  { id: "e", total: 1e6, country: "de", paid: true, at: isoTime(start + 4 * minute) },
];

export function queryingScenarios(platform: Platform): void {
  describe("querying", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config);
      // Not in the order of their times.
      for (const event of [4, 1, 3, 0, 2].map((place) => orders[place])) await running.send("orders", [event]);
      await running.settled();
    });
    after(() => running.close());

    const ids = async (query: Readonly<Record<string, string>>): Promise<string> => {
      const path = `/v1/streams/orders/records?${new URLSearchParams({ order: "asc", ...query })}`;
      return (await running.list<RecordRow>(path)).map(({ eventId }) => eventId).join("");
    };

    test("records come in order of their event time, from inclusive and to exclusive", async () => {
      assert.equal(await ids({}), "abcde");
      assert.equal(await ids({ order: "desc" }), "edcba");
      assert.equal(await ids({ from: isoTime(start + minute) }), "bcde");
      assert.equal(await ids({ to: isoTime(start + minute) }), "a");
      assert.equal(await ids({ from: isoTime(start + minute), to: isoTime(start + 3 * minute) }), "bc");
      assert.equal(await ids({ from: "2026-01-31T01:01:00+01:00" }), "bcde");
      assert.equal(await ids({ from: isoTime(start + 5 * minute) }), "");
    });

    test("every where operator finds what it says", async () => {
      const where = (field: string, operator: string, value: string) => ({ [`where[${field}][${operator}]`]: value });
      const expected: readonly (readonly [Record<string, string>, string])[] = [
        [where("country", "eq", "DE"), "ac"],
        [where("country", "ne", "DE"), "bde"],
        [where("total", "eq", "10"), "b"],
        [where("total", "eq", "10.0"), "b"],
        [where("total", "gt", "10"), "ce"],
        [where("total", "gte", "10"), "bce"],
        [where("total", "lt", "5"), "d"],
        [where("total", "lte", "5"), "ad"],
        [where("country", "contains", "terl"), "d"],
        [where("country", "contains", "Ü"), "d"],
        [where("items.first", "eq", "tea"), "a"],
        [where("items.first", "contains", "tea"), "ac"],
        [where("paid", "exists", "true"), "abe"],
        [where("paid", "exists", "false"), "cd"],
        [where("paid", "eq", "true"), "ae"],
        [where("note", "exists", "true"), "b"],
        [where("nothing", "ne", "x"), "abcde"],
        [{ ...where("country", "eq", "DE"), ...where("total", "gt", "5") }, "c"],
        [{ ...where("total", "gte", "5"), ...where("total", "lt", "10.5") }, "ab"],
        [where("country", "eq", "' OR 1=1 --"), ""],
        [where("country')) OR 1=1 --", "exists", "true"), ""],
      ];
      for (const [query, found] of expected) assert.equal(await ids(query), found, JSON.stringify(query));
    });

    test("pages of any size hold every record once, in both orders", async () => {
      for (const order of ["asc", "desc"]) {
        for (const limit of [1, 2, 3]) {
          const seen: string[] = [];
          let next: string | null = `/v1/streams/orders/records?order=${order}&limit=${limit}`;
          while (next !== null) {
            const response: Response = await running.request(next);
            const { data, page } = (await response.json()) as {
              data: RecordRow[];
              page: { next: string | null; limit: number };
            };
            assert.ok(data.length <= limit && page.limit === limit);
            seen.push(...data.map(({ eventId }) => eventId ?? ""));
            const link = /<([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1] ?? null;
            assert.equal(link === null, page.next === null);
            next = link;
          }
          assert.equal(seen.join(""), order === "asc" ? "abcde" : "edcba");
        }
      }
    });

    test("a page neither repeats nor skips what was there when the first was read, whatever is inserted meanwhile", async () => {
      const event = (id: string, millis: number) => ({ id, total: 1, at: isoTime(start + millis) });
      const first = Array.from({ length: 40 }, (_, number) => event(`first-${number}`, Math.floor(number / 4) * 1000));
      await running.send("paged", first);
      await running.settled();
      for (const order of ["asc", "desc"]) {
        const seen: string[] = [];
        let cursor = "";
        for (let pages = 0; pages < 20; pages++) {
          type Page = { data: RecordRow[]; page: { next: string | null } };
          const page = await running.get<Page>(`/v1/streams/paged/records?order=${order}&limit=7${cursor}`);
          seen.push(...page.data.map(({ eventId }) => eventId ?? ""));
          if (page.page.next === null) break;
          cursor = `&cursor=${encodeURIComponent(page.page.next)}`;
          // Before, among and after what is being read, the same times included.
          const added = [-5_000, 3_000, 5_500, 60_000].map((millis) => event(`${order}-${pages}-${millis}`, millis));
          await running.send("paged", added);
          await running.settled();
        }
        const found = seen.filter((id) => id.startsWith("first-"));
        assert.equal(found.length, 40, order);
        assert.equal(new Set(found).size, 40, order);
        assert.equal(new Set(seen).size, seen.length, order);
      }
    });

    test("a cursor of another query is refused", async () => {
      const { page } = await running.get<{ page: { next: string } }>("/v1/streams/orders/records?limit=2&order=asc");
      const cursor = encodeURIComponent(page.next);
      await expectProblem(await running.request(`/v1/failures?cursor=${cursor}`), 400, "CURSOR_INVALID");
      await expectProblem(
        await running.request("/v1/streams/orders/records?cursor=bm9uc2Vuc2U"),
        400,
        "CURSOR_INVALID",
      );
    });

    test("a series gives count, least, greatest and mean of each bucket", async () => {
      const query = new URLSearchParams({
        field: "total",
        from: isoTime(start),
        to: isoTime(start + 10 * minute),
        points: "5",
      });
      interface Series {
        readonly bucketMillis: number;
        readonly points: readonly { time: string; count: number; min: number; max: number; avg: number }[];
      }
      const series = await running.get<Series>(`/v1/streams/orders/series?${query}`);
      assert.equal(series.bucketMillis, 2 * minute);
      assert.deepEqual(
        series.points.map(({ time, count, min, max, avg }) => [
          (Date.parse(time) - start) / minute,
          count,
          min,
          max,
          avg,
        ]),
        [
          [0, 2, 5, 10, 7.5],
          [2, 2, -3, 10.5, 3.75],
          [4, 1, 1e6, 1e6, 1e6],
        ],
      );
      const counted = await running.get<Series>(
        `/v1/streams/orders/series?${new URLSearchParams({ from: isoTime(start), to: isoTime(start + 10 * minute), points: "1" })}`,
      );
      assert.deepEqual(
        counted.points.map(({ count }) => count),
        [5],
      );
    });
  });
}
