/** The config of the documentation, checked by the compiler alone: it must infer, and wrong names must not compile. */
import * as v from "valibot";
import { z } from "zod";
import {
  alert,
  anomaly,
  defineConfig,
  type EventOf,
  email,
  env,
  http,
  type RecordIn,
  simulator,
  stream,
  webhook,
} from "../../src/index.ts";

export type Same<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : never;

export const orders = stream({
  schema: z.object({
    id: z.string(),
    total: z.number().nonnegative(),
    country: z.string().length(2),
    at: z.iso.datetime(),
  }),
  key: "id",
  time: "at",
  retention: "7d",
  pii: ["country"],
  transform: (order, context) => ({ ...order, cents: Math.round(order.total * 100), door: context.door }),
  owner: [email("shop@example.com")],
});
const spend = anomaly(orders, { value: "cents", per: "country", detect: "mad" });
const level = anomaly(orders, { value: "total", detect: { range: { low: 0, high: 1000 } } });
const tuned = anomaly(orders, {
  value: "total",
  per: "door",
  detect: { mad: { window: 50, threshold: 4, warmup: 10 } },
});

const volume = anomaly(orders, { per: "country", detect: { rate: { bucket: "5m", falseAlarmsPerWeek: 0.1 } } });
const newCountry = anomaly(orders, { value: "country", detect: "novelty" });
const shape = anomaly(orders, { detect: "drift" });
const together = anomaly(orders, { value: ["total", "cents"], detect: { multivariate: { warmup: 100 } } });
const seasonal = anomaly(orders, { value: "total", detect: { streaming: { falseAlarmsPerWeek: 2 } } });
const jump = anomaly(orders, {
  value: "total",
  detect: {
    kind: "jump",
    judge: ({ value }, last: number | null) => {
      const anomalous = last !== null && value > 10 * last;
      return { verdict: { score: anomalous ? 1 : 0, anomalous, why: "Ten times the last." }, state: value };
    },
  },
});

const config = defineConfig({
  name: "shop",
  streams: { orders },
  sources: [http(), simulator(orders, { every: "5m", faults: { invalid: 0.01, duplicate: 0.01, spike: 0.001 } })],
  anomalies: { spend, level, tuned, volume, newCountry, shape, together, seasonal, jump },
  alerts: [alert({ on: spend, to: [email("ops@example.com"), webhook(env("HOOK_URL"))], cooldown: "30m" })],
  recipes: {
    upperCase: (event, { errors }) =>
      errors[0]?.pointer === "/country" && typeof event === "object" && event !== null && "country" in event
        ? { ...event, country: String(event.country).toUpperCase() }
        : null,
  },
});
export default config;

export const event: Same<
  EventOf<typeof config, "orders">,
  { id: string; total: number; country: string; at: string }
> = true;
export const cents: RecordIn<typeof config, "orders">["cents"] = 5;

// @ts-expect-error the record has no such field
anomaly(orders, { value: "euros", detect: "mad" });
// @ts-expect-error a rule needs a number
anomaly(orders, { value: "country", detect: "mad" });
// @ts-expect-error the record has no such field to split by
anomaly(orders, { value: "cents", per: "land", detect: "mad" });
// @ts-expect-error there is no such detector
anomaly(orders, { value: "cents", detect: "magic" });
// @ts-expect-error the detector has no such option
anomaly(orders, { value: "cents", detect: { mad: { windows: 5 } } });
// @ts-expect-error a rule about whole records names no field
anomaly(orders, { value: "total", detect: "rate" });
// @ts-expect-error several fields need two at least
anomaly(orders, { value: ["total"], detect: "multivariate" });
// @ts-expect-error one of them is text
anomaly(orders, { value: ["total", "country"], detect: "multivariate" });
// @ts-expect-error only several fields together
anomaly(orders, { value: "total", detect: "multivariate" });
// @ts-expect-error which field may have new values?
anomaly(orders, { detect: "novelty" });
// @ts-expect-error a bucket is a length of time
anomaly(orders, { detect: { rate: { bucket: 60 } } });
// @ts-expect-error a detector answers with a verdict
anomaly(orders, { value: "total", detect: { kind: "mine", judge: () => null } });
// @ts-expect-error the value is a number
anomaly(orders, { value: "total", detect: { kind: "mine", judge: ({ value }) => value.length } });
// @ts-expect-error fifty weeks are no duration
simulator(orders, { every: "50w" });
// @ts-expect-error an alert is about a rule
alert({ on: orders, to: [email("ops@example.com")] });
// @ts-expect-error an incident is a warning or critical
alert({ on: spend, to: [email("ops@example.com")], severity: "fatal" });
// @ts-expect-error a destination is made with email() or webhook()
alert({ on: spend, to: ["ops@example.com"] });
// @ts-expect-error streams are made with stream()
defineConfig({ name: "shop", streams: { orders: {} } });
// @ts-expect-error a recipe in the config is a function; steps are in a file
defineConfig({ name: "shop", streams: { orders }, recipes: { fix: { steps: [] } } });
// @ts-expect-error a config has no such part
defineConfig({ name: "shop", streams: { orders }, stream: {} });

const schema = z.object({
  id: z.string(),
  at: z.number(),
  ok: z.boolean(),
  site: z.object({ floor: z.number(), name: z.string().nullable() }),
  people: z.array(z.object({ email: z.string() })),
});
stream({ schema, key: "site.name", time: "at", pii: ["people.email", "site"] });
// @ts-expect-error the key is no field of the event
stream({ schema, key: "ids" });
// @ts-expect-error an object identifies nothing
stream({ schema, key: "site" });
// @ts-expect-error a boolean is no time
stream({ schema, time: "ok" });
// @ts-expect-error nobody has a phone here
stream({ schema, pii: ["people.phone"] });
// @ts-expect-error a list is no column
anomaly(stream({ schema }), { value: "people.email", detect: "mad" });
// @ts-expect-error the schema says what the transform gets
stream({ schema, transform: (one) => ({ x: one.sites }) });
anomaly(stream({ schema }), { value: "site.floor", per: "ok", detect: "mad" });

// One, many or none, now or later: the columns are those of one record.
const many = stream({
  schema,
  transform: async (one) => (one.ok ? one.people.map(() => ({ n: one.at, who: "x" })) : null),
});
anomaly(many, { value: "n", per: "who", detect: "mad" });
// @ts-expect-error the transform left this field behind
anomaly(many, { value: "at", detect: "mad" });

const optional = stream({
  schema,
  transform: (one) => (one.ok ? { n: one.site.name === null ? null : 5, m: undefined } : undefined),
});
anomaly(optional, { value: "n", detect: "mad" });

// Unions: fields of every member. Open types: any text. A schema's output, not its input, makes the record.
const kinds = stream({
  schema: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("card"), fee: z.number() }),
    z.object({ kind: z.literal("cash"), coins: z.number().optional() }),
  ]),
});
anomaly(kinds, { value: "fee", per: "kind", detect: "mad" });
anomaly(kinds, { value: "coins", detect: "mad" });
const open = stream({ schema: z.object({ metrics: z.record(z.string(), z.number()), any: z.unknown() }) });
anomaly(open, { value: "metrics.cpu", per: "any.thing", detect: "mad" });
const changed = stream({ schema: z.object({ n: z.string().transform(Number), s: z.string() }), key: "n" });
anomaly(changed, { value: "n", per: "s", detect: "mad" });
// @ts-expect-error it is text after the schema, too
anomaly(changed, { value: "s", detect: "mad" });

// Another library, and a schema of which the compiler knows nothing.
const valibot = stream({ schema: v.object({ id: v.string(), n: v.number() }), key: "id" });
anomaly(valibot, { value: "n", detect: "mad" });
// @ts-expect-error also with another library
anomaly(valibot, { value: "id", detect: "mad" });
const tree: z.ZodType<{ n: number; next: unknown }> = z.lazy(() => z.object({ n: z.number(), next: tree }));
anomaly(stream({ schema: tree, key: "next.next.n" }), { value: "next.next.n", detect: "mad" });
