import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { Tracer } from "@aws-lambda-powertools/tracer";

/** What a metric counts, by its name in CloudWatch. */
const units = {
  EventsAccepted: MetricUnit.Count,
  EventsStored: MetricUnit.Count,
  EventsFailed: MetricUnit.Count,
  EventsRetrying: MetricUnit.Count,
  EventsDuplicate: MetricUnit.Count,
  ObjectsRefused: MetricUnit.Count,
  MessagesFailed: MetricUnit.Count,
  MessagesDead: MetricUnit.Count,
  NotificationsDelivered: MetricUnit.Count,
  BatchDuration: MetricUnit.Milliseconds,
} as const;
export type MetricName = keyof typeof units;

/** Logs as JSON lines, metrics in CloudWatch's embedded format, traces where X-Ray samples them. */
export class Telemetry {
  readonly #logger = new Logger();
  readonly #metrics = new Metrics();
  readonly #tracer = new Tracer();

  /** The client, its calls seen in traces. */
  traced<Client>(client: Client): Client {
    return this.#tracer.captureAWSv3Client(client as Parameters<Tracer["captureAWSv3Client"]>[0]) as Client;
  }

  count(name: MetricName, value = 1): void {
    if (value > 0) this.#metrics.addMetric(name, units[name], value);
  }

  info(message: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.#logger.info(message, details);
  }

  error(message: string, error: unknown, details: Readonly<Record<string, unknown>> = {}): void {
    this.#logger.error(message, { error: error instanceof Error ? error : String(error), ...details });
  }

  /** Runs one call of the function, names it in what is logged meanwhile, and writes its metrics at the end. */
  async during<Result>(requestId: string, work: () => Promise<Result>): Promise<Result> {
    this.#logger.appendKeys({ requestId });
    try {
      return await work();
    } finally {
      if (this.#metrics.hasStoredMetrics()) this.#metrics.publishStoredMetrics();
    }
  }
}
