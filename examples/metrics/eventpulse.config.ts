import { anomaly, defineConfig, http, stream } from "eventpulse";
import { z } from "zod";

/** One point of one time series. */
export const metrics = stream({
  schema: z.object({ series: z.string(), at: z.iso.datetime(), value: z.number() }),
  time: "at",
});

/** Unlike anything that its own series did before. */
const odd = anomaly(metrics, { value: "value", per: "series", detect: "streaming" });

export default defineConfig({ name: "metrics", streams: { metrics }, sources: [http()], anomalies: { odd } });
