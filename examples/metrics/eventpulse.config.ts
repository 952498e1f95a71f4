import { anomaly, defineConfig, http, stream } from "eventpulse";
import { z } from "zod";

/** One point of one time series. */
export const metrics = stream({
  schema: z.object({ series: z.string(), at: z.iso.datetime(), value: z.number() }),
  time: "at",
});

/** Far from the median of the last 288 points of its own series: a day, for a point every five minutes. */
const odd = anomaly(metrics, {
  value: "value",
  per: "series",
  detect: { mad: { window: 288, threshold: 8, warmup: 144 } },
});

export default defineConfig({ name: "metrics", streams: { metrics }, sources: [http()], anomalies: { odd } });
