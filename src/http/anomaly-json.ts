import * as z from "zod";
import { type Anomaly, anomalyStates } from "../model/anomaly.ts";
import { severities } from "../model/incident.ts";
import { described, named, timeText } from "./described.ts";

export const anomalySchema = named(
  "Anomaly",
  "What a rule found unusual in a record, or in a period, and why.",
  z.object({
    id: z.string(),
    stream: z.string(),
    rule: described("Name of the rule in the config.", z.string()),
    field: described('Dotted path of the value in the record\'s data; "" is the number of records.', z.string()),
    key: described('Value of the rule\'s `per` field; "" when it has none.', z.string()),
    time: timeText("Event time of the record, or start of the period."),
    value: described("A number, or the text of a category.", z.union([z.number(), z.string()])),
    score: described("0 (ordinary) to 1 (certain).", z.number()),
    expectedLow: described("Lower end of the expected band; null when open.", z.number().nullable()),
    expectedHigh: described("Upper end of the expected band; null when open.", z.number().nullable()),
    why: described("What was expected and how unusual the value is, in words.", z.string()),
    recordId: described("Null when it is about a period, not about one record.", z.string().nullable()),
    incident: described("The incident that it belongs to: what one alert is about.", z.string()),
    severity: described(
      "How severe the incident was with this value; it may have become critical later.",
      z.enum(severities),
    ),
    state: z.enum(anomalyStates),
    note: z.string().nullable(),
    version: described("Counts changes; the ETag.", z.int()),
  }),
);

export const anomalyExample = {
  id: "anom_5f0c2b9e1a7d4c38",
  stream: "orders",
  rule: "spend",
  field: "cents",
  key: "DE",
  time: "2026-01-31T12:00:00.000Z",
  value: 185000,
  score: 0.98,
  expectedLow: 900,
  expectedHigh: 4200,
  why: "185000 is far above 900 to 4200, where the last 100 values of DE lie.",
  recordId: "evt_4199c2bd4c003f1d8a5be27c90aa1b2c",
  incident: "inc_019c143ee8001b7d20c96e5fa8340d12",
  severity: "critical" as const,
  state: "open" as const,
  note: null,
  version: 1,
};

/** An anomaly as the API shows it. */
export function anomalyView(anomaly: Anomaly): z.input<typeof anomalySchema> {
  return { ...anomaly, time: new Date(anomaly.time).toISOString() };
}

/** The same as JSON text, for the live tail. */
export function anomalyJson(anomaly: Anomaly): string {
  return JSON.stringify(anomalyView(anomaly));
}
