import { alert, anomaly, defineConfig, email, http, simulator, stream } from "eventpulse";
import { z } from "zod";

/** What the sensors of a small house send. The schema is the contract: what does not fit is kept aside with its reason. */
export const readings = stream({
  schema: z.object({
    device: z.enum(["kitchen", "cellar", "roof"]),
    temperature: z.number().min(-40).max(85),
    humidity: z.number().min(0).max(100),
    at: z.iso.datetime({ offset: true }),
  }),
  time: "at",
  owner: [email("owner@example.com")],
  // Pure: one reading to one record. Returning null would drop it, an array would make several.
  transform: (reading) => ({ ...reading, fahrenheit: Math.round(reading.temperature * 18 + 320) / 10 }),
});

/** Unusual for this device: far from the median of its last 120 readings, in median absolute deviations. */
const unusual = anomaly(readings, {
  value: "temperature",
  per: "device",
  detect: { mad: { window: 120, threshold: 8, warmup: 20 } },
});

/** Dangerous for any device: out of a fixed band. */
const extreme = anomaly(readings, { value: "temperature", per: "device", detect: { range: { low: -10, high: 50 } } });

export default defineConfig({
  name: "quickstart",
  streams: { readings },
  // The simulator sends three readings every two seconds, and now and then a broken, repeated, late or odd one.
  sources: [
    http(),
    simulator(readings, {
      every: "2s",
      count: 3,
      faults: { invalid: 0.02, duplicate: 0.02, late: 0.02, spike: 0.02 },
    }),
  ],
  anomalies: { unusual, extreme },
  // Without a mail server the alerts are captured, and can be read at /v1/notifications.
  alerts: [
    alert({ on: unusual, to: [email("ops@example.com")], cooldown: "5m" }),
    alert({ on: extreme, to: [email("ops@example.com")], cooldown: "5m" }),
  ],
});
