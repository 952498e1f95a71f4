/** Prints 1,000 orders as NDJSON. 100 of them break the contract: 60 totals are texts, 39 currencies are unknown, one time is none. */
const start = Date.parse("2026-03-02T08:00:00Z");

for (let number = 1; number <= 1_000; number++) {
  const order: Record<string, unknown> = {
    id: `order-${number}`,
    email: `buyer-${number % 50}@example.com`,
    total: number / 100 + 5,
    currency: number % 3 === 0 ? "USD" : "EUR",
    at: new Date(start + number * 1000).toISOString(),
  };
  if (number <= 600 && number % 10 === 0) order["total"] = `${number / 10},50`;
  else if (number > 600 && number <= 990 && number % 10 === 0) order["currency"] = "GBP";
  else if (number === 1_000) order["at"] = "yesterday";
  console.log(JSON.stringify(order));
}
