import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  device: z.string(),
  temperature: z.number(),
  humidity: z.number(),
  pressure: z.number(),
  battery: z.number().min(0).max(1),
  firmware: z.string(),
  site: z.object({ name: z.string(), building: z.string(), floor: z.number(), zone: z.string() }),
  tags: z.array(z.string()),
  note: z.string(),
});

/** Ids are assigned at acceptance. */
export const readings = stream({ schema, time: "at" });
/** The client identifies its events, so every one is looked up before it is stored. */
export const keyed = stream({ schema, key: "id", time: "at" });
/** With a transform on top. */
export const transformed = stream({
  schema,
  time: "at",
  transform: (event) => ({ ...event, kelvin: event.temperature + 273.15 }),
});

/** For failures: what breaks here is mended by one recipe. */
export const mendable = stream({
  schema: z.object({ id: z.string(), value: z.number(), unit: z.enum(["metre"]), note: z.string() }),
  key: "id",
});

export default defineConfig({ name: "bench", streams: { readings, keyed, transformed, mendable } });
