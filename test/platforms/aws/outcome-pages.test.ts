import assert from "node:assert/strict";
import { test } from "node:test";
import { itemsPerPageMax, outcomePages, pageOf } from "../../../src/platforms/aws/outcome-pages.ts";

const parts = (count: number, bytes = 500) =>
  Array.from({ length: count }, (_, index) => ({ name: `part ${index}`, items: 1, bytes }));

test("takes one page as long as one transaction holds everything", () => {
  assert.equal(outcomePages([]), 1);
  assert.equal(outcomePages(parts(itemsPerPageMax)), 1);
  assert.ok(outcomePages(parts(itemsPerPageMax + 1)) > 1);
  assert.ok(outcomePages(parts(20, 400_000)) > 1, "4 MB are too much, however few items they are");
});

for (const count of [81, 300, 5_000, 100_000]) {
  test(`spreads ${count} parts over pages of which none is too large`, () => {
    const all = parts(count);
    const pages = outcomePages(all);
    const sizes = [...Map.groupBy(all, ({ name }) => pageOf(name, pages)).values()].map((page) => page.length);
    assert.ok(Math.max(...sizes) <= itemsPerPageMax);
    assert.ok(pages <= Math.ceil(count / 40), `${pages} pages`);
  });
}

test("says of each part which page it belongs to, from its name and the number of pages alone", () => {
  for (const { name } of parts(50)) assert.equal(pageOf(name, 7), pageOf(name, 7));
  assert.equal(pageOf("any", 1), 0);
});

test("keeps what belongs together on one page", () => {
  const group = { name: "notifications group", items: 30, bytes: 1000 };
  const all = [...parts(200), group];
  const pages = outcomePages(all);
  const sizes = Map.groupBy(all, ({ name }) => pageOf(name, pages));
  for (const page of sizes.values()) {
    assert.ok(page.reduce((sum, { items }) => sum + items, 0) <= itemsPerPageMax);
  }
});
