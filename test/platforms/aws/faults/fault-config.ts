import { alert, anomaly, defineConfig, email, stream } from "eventpulse";
import { z } from "zod";

/** `kind` says what must become of an event. */
export const kinds = ["store", "many", "drop", "flaky", "dead"] as const;
export type FaultEventKind = (typeof kinds)[number];

const schema = z.object({ id: z.string(), kind: z.enum(kinds), value: z.number(), sensor: z.string() });

/** What `flaky` events rely on. Constant while objects are processed, so that a redelivery computes the same. */
export const dependency = { isDown: false };

function transform(event: z.infer<typeof schema>) {
  if (event.kind === "dead") throw new Error("this event always fails");
  if (event.kind === "flaky" && dependency.isDown) throw new Error("what it relies on is down");
  if (event.kind === "drop") return null;
  return event.kind === "many" ? [event, { ...event, value: event.value + 1 }] : [event];
}

/** Events identify themselves: they come twice, and with other content. */
const keyed = stream({ schema, key: "id", transform });
/** Ids are assigned at acceptance. */
const plain = stream({ schema, transform });

const outside = anomaly(keyed, { value: "value", per: "sensor", detect: { range: { high: 900 } } });
const unusual = anomaly(plain, {
  value: "value",
  per: "sensor",
  detect: { mad: { window: 12, warmup: 4, threshold: 3 } },
});

export const faultConfig = defineConfig({
  name: "faults",
  streams: { keyed, plain },
  anomalies: { outside, unusual },
  alerts: [
    alert({ on: outside, to: [email("ops@example.com")], cooldown: "1m" }),
    alert({ on: unusual, to: [email("ops@example.com")], cooldown: "1m" }),
  ],
});
