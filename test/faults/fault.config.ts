import { anomaly, defineConfig, stream } from "eventpulse";
import { z } from "zod";

/** `kind` says what must become of an event; `tag` is unique, so that what came out can be matched with what went in. */
const schema = z.object({ tag: z.string(), kind: z.enum(["store", "drop", "dead"]), value: z.number() });

function transform(event: z.infer<typeof schema>) {
  if (event.kind === "dead") throw new Error("this event always fails");
  return event.kind === "drop" ? null : event;
}

/** Events identify themselves. */
export const keyed = stream({ schema, key: "tag", transform });
/** Ids are assigned at acceptance. */
export const plain = stream({ schema, transform });
/** For replays: what fails here fails because of its value alone. */
export const mendable = stream({ schema: z.object({ id: z.string(), value: z.number() }), key: "id" });
const unusual = anomaly(plain, { value: "value", detect: { mad: { window: 50 } } });

export default defineConfig({ name: "faults", streams: { keyed, plain, mendable }, anomalies: { unusual } });
