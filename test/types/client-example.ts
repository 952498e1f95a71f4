/** The typed client, checked by the compiler alone: names, events and records come from the config, and wrong ones do not compile. */
import { createClient } from "../../src/index.ts";
import type config from "./config-example.ts";

const client = createClient<typeof config>({ url: "http://127.0.0.1:8080" });
const order = { id: "o-1", total: 1, country: "DE", at: "2026-01-01T00:00:00Z" };

export async function uses(): Promise<readonly number[]> {
  const { items } = await client.send("orders", [order]);
  // @ts-expect-error there is no such stream
  await client.send("order", [order]);
  // @ts-expect-error a total is a number
  await client.send("orders", [{ ...order, total: "1" }]);
  // @ts-expect-error the country is missing
  await client.send("orders", [{ id: "o-1", total: 1, at: "2026-01-01T00:00:00Z" }]);

  const cents: number[] = [];
  for await (const { data } of client.records("orders", { where: { cents: { gte: 100 }, door: { eq: "http" } } })) {
    cents.push(data.cents);
    // @ts-expect-error the record has no such field
    cents.push(data.euros);
  }
  // @ts-expect-error nothing can be asked of a field that is not there
  client.records("orders", { where: { euros: { gte: 100 } } });
  // @ts-expect-error there is no such operator
  client.records("orders", { where: { cents: { like: 100 } } });

  for await (const message of client.live("orders")) {
    if (message.kind === "record") cents.push(message.data.data.cents);
    else if (message.kind === "skipped") cents.push(message.data.count);
  }
  return [...cents, items.length];
}

/** Without a config every stream is known, and nothing of what is in it. */
const untyped = createClient({ url: "http://127.0.0.1:8080", key: "ep_0123456789abcdef" });
export const untypedData: Promise<unknown> = untyped.send("anything", [{ any: "thing" }]);
