import type { Balance } from "../../model/outcome.ts";
import type { FailureMetrics } from "./failure-metrics.ts";

export interface MetricsSource {
  readonly version: string;
  readonly balance: ReadonlyMap<string, Balance>;
  readonly failures: readonly FailureMetrics[];
  readonly inFlightBytes: number;
  readonly accepting: boolean;
  readonly uptimeSeconds: number;
  readonly residentBytes: number;
}

const eventCounters = ["accepted", "stored", "dropped", "quarantined", "dead", "duplicates"] as const;

type Values = readonly (readonly [labels: string, value: number])[];
type Metric = (name: string, type: "counter" | "gauge", help: string, values: Values) => void;

/** Prometheus text format 0.0.4. Names and units follow https://prometheus.io/docs/practices/naming/. */
export function prometheusText(source: MetricsSource): string {
  const lines: string[] = [];
  const metric: Metric = (name, type, help, values) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of values) lines.push(`${name}${labels} ${value}`);
  };
  const perStream = (pick: (balance: Balance) => number) =>
    [...source.balance].map(([stream, balance]) => [`{stream="${stream}"}`, pick(balance)] as const);
  metric("eventpulse_info", "gauge", "Version of EventPulse.", [[`{version="${source.version}"}`, 1]]);
  metric("eventpulse_accepting", "gauge", "1 while events are accepted, else 0.", [["", source.accepting ? 1 : 0]]);
  for (const name of eventCounters) {
    // A failure that is mended leaves its count, so those two can fall.
    const type = name === "quarantined" || name === "dead" ? "gauge" : "counter";
    const suffix = type === "counter" ? "_total" : "";
    metric(
      `eventpulse_events_${name}${suffix}`,
      type,
      `Events ${name}, by stream.`,
      perStream((balance) => balance[name]),
    );
  }
  metric(
    "eventpulse_events_in_flight",
    "gauge",
    "Events accepted and not processed yet, by stream.",
    perStream(({ inFlight }) => inFlight),
  );
  failureValues(metric, source.failures);
  metric("eventpulse_raw_log_in_flight_bytes", "gauge", "Bytes of the raw log that wait to be processed.", [
    ["", source.inFlightBytes],
  ]);
  metric("process_uptime_seconds", "gauge", "Seconds since the process started.", [["", source.uptimeSeconds]]);
  metric("process_resident_memory_bytes", "gauge", "Resident memory of the process.", [["", source.residentBytes]]);
  return `${lines.join("\n")}\n`;
}

/** Depth, age, arrival and drain of the failure log. */
function failureValues(metric: Metric, failures: readonly FailureMetrics[]): void {
  const perStream = (name: "oldestSeconds" | "written" | "drained") =>
    failures.map((one) => [`{stream="${one.stream}"}`, one[name]] as const);
  metric(
    "eventpulse_failures_waiting",
    "gauge",
    "Failures that wait for an edit, a change of code or a retry, by stream and state.",
    failures.flatMap(({ stream, quarantined, dead }) => [
      [`{stream="${stream}",state="quarantined"}`, quarantined],
      [`{stream="${stream}",state="dead"}`, dead],
    ]),
  );
  metric(
    "eventpulse_failures_oldest_age_seconds",
    "gauge",
    "Age of the oldest failure that waits, by stream; 0 when none does.",
    perStream("oldestSeconds"),
  );
  metric("eventpulse_failures_written_total", "counter", "Failures written, by stream.", perStream("written"));
  metric(
    "eventpulse_failures_drained_total",
    "counter",
    "Failures recovered or discarded, by stream.",
    perStream("drained"),
  );
}
