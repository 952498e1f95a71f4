import type { AwsPrices } from "./aws-prices.ts";

export interface Traffic {
  readonly eventsPerMonth: number;
  /** Bytes of one event as sent. */
  readonly eventBytes: number;
  /** Events in one request, and so in one raw object. */
  readonly batch: number;
  /** Series that streaming rules follow, in the events of one object: each has a state that is read and written with it. */
  readonly seriesPerObject: number;
  readonly retentionDays: number;
  /** Share of requests that are traced, 0 to 1. */
  readonly traces: number;
  /** Raw objects that one invocation of the processing function takes: up to 10, and 1 where there is little to do. */
  readonly objectsPerInvocation: number;
}

export interface CostLine {
  readonly item: string;
  readonly quantity: number;
  readonly unit: string;
  readonly usd: number;
}

export interface Cost {
  readonly lines: readonly CostLine[];
  /** Falls to nothing with the traffic, and what a stage costs without any. */
  readonly trafficUsd: number;
  readonly fixedUsd: number;
  readonly totalUsd: number;
  /** Of the traffic alone. */
  readonly usdPerMillionEvents: number;
}

/**
 * What one raw object of 100 events costs in calls, rounded up from what is measured: 15 to 16 write units beside those of the records,
 * and 10 read units (`test/platforms/aws/outcome-units.aws.ts`); of the rest one each (the scenarios record every call).
 * `writeUnits`: per object, beside one unit for each event per KB of its packed record.
 */
export const callsPerObject = {
  apiRequests: 1,
  puts: 1,
  gets: 1,
  eventBridgeEvents: 1,
  /** The message in; its receipt and deletion are shared by the messages of one invocation. */
  sqsSends: 1,
  writeUnits: 18,
  readUnits: 10,
  httpMillis: 40,
  processMillis: 300,
  logBytes: 1_500,
} as const;

/** The same for the state of one series of a streaming rule, rounded up; in a transaction each KB is two units. */
export const callsPerSeries = { writeUnits: 14, readUnits: 6 } as const;

const httpGigabytes = 0.5;
const processGigabytes = 1;
/** A record is packed (deflated, short names): about this much is left of it, and this much is kept beside it. */
const packedShare = 0.55;
const recordExtraBytes = 200;
/** One call to KMS for so many object writes and reads: bucket keys. */
const objectsPerKeyCall = 100;
/** As `infra/alarms.tf` makes them; a test counts. */
export const alarmsOfStage = 24;
/** The metrics of `telemetry.ts`, each counted by one function; a second function that counts one pays for it again. */
const customMetrics = 10;
const minutesPerMonth = 43_800;

/** The list price of a month, item by item. Prices are those given; quantities follow from the traffic. */
export function awsCost(traffic: Traffic, prices: AwsPrices): Cost {
  const variable = trafficLines(traffic, prices);
  const fixed = fixedLines(prices);
  const trafficUsd = sum(variable);
  const fixedUsd = sum(fixed);
  return {
    lines: [...variable, ...fixed],
    trafficUsd,
    fixedUsd,
    totalUsd: trafficUsd + fixedUsd,
    usdPerMillionEvents: traffic.eventsPerMonth === 0 ? 0 : (trafficUsd / traffic.eventsPerMonth) * 1e6,
  };
}

function trafficLines(traffic: Traffic, prices: AwsPrices): CostLine[] {
  const { eventsPerMonth: events, eventBytes, batch, retentionDays, traces, objectsPerInvocation } = traffic;
  const series = traffic.seriesPerObject;
  const objects = Math.ceil(events / batch);
  const invocations = objects / objectsPerInvocation;
  const recordBytes = eventBytes * packedShare + recordExtraBytes;
  const calls = callsPerObject;
  const writeUnits = events * Math.ceil(recordBytes / 1024) + objects * calls.writeUnits;
  const sqsRequests = objects * calls.sqsSends + invocations * 2;
  const seconds =
    (objects * calls.httpMillis * httpGigabytes + objects * calls.processMillis * processGigabytes) / 1000;
  const keptMonths = retentionDays / 30;
  const gigabytes = (bytes: number) => bytes / 1e9;
  return [
    line("API Gateway", objects * calls.apiRequests, "requests", prices.apiRequestsMillion / 1e6),
    line("Lambda requests", objects + invocations, "requests", prices.lambdaRequestsMillion / 1e6),
    line("Lambda time", seconds, "GB-s", prices.lambdaGigabyteSecondArm),
    line("S3 writes", objects * calls.puts, "requests", prices.s3PutsThousand / 1e3),
    line("S3 reads", objects * calls.gets, "requests", prices.s3GetsThousand / 1e3),
    line("S3 storage", gigabytes(events * eventBytes) * keptMonths, "GB-months", prices.s3GigabyteMonth),
    line("EventBridge", objects * calls.eventBridgeEvents, "events", prices.eventBridgeEventsMillion / 1e6),
    line("SQS", sqsRequests, "requests", prices.sqsRequestsMillion / 1e6),
    line("DynamoDB writes", writeUnits, "units", prices.dynamoWriteUnitsMillion / 1e6),
    ...(series === 0
      ? []
      : [
          line(
            "DynamoDB writes, series",
            objects * series * callsPerSeries.writeUnits,
            "units",
            prices.dynamoWriteUnitsMillion / 1e6,
          ),
          line(
            "DynamoDB reads, series",
            objects * series * callsPerSeries.readUnits,
            "units",
            prices.dynamoReadUnitsMillion / 1e6,
          ),
        ]),
    line("DynamoDB reads", objects * calls.readUnits, "units", prices.dynamoReadUnitsMillion / 1e6),
    line("DynamoDB storage", gigabytes(events * recordBytes) * keptMonths, "GB-months", prices.dynamoGigabyteMonth),
    line("KMS", (objects * 2) / objectsPerKeyCall, "calls", prices.kmsCallsTenThousand / 1e4),
    line("CloudWatch logs", gigabytes(objects * calls.logBytes), "GB", prices.logsGigabyte),
    line("X-Ray", objects * traces, "traces", prices.xrayTracesMillion / 1e6),
  ];
}

/** What a stage costs with no event at all. */
function fixedLines(prices: AwsPrices): CostLine[] {
  const tick = minutesPerMonth;
  return [
    line("KMS key", 1, "month", prices.kmsKeyMonth),
    line("Secret", 1, "month", prices.secretMonth),
    line("Alarms", alarmsOfStage, "alarm-months", prices.alarmMonth),
    line("Composite alarm", 1, "alarm-months", prices.compositeAlarmMonth),
    line("Metrics", customMetrics, "metric-months", prices.metricMonth),
    line("Dashboard", 1, "month", prices.dashboardMonth),
    line("Lambda, each minute", tick * 0.1 * httpGigabytes, "GB-s", prices.lambdaGigabyteSecondArm),
    line("DynamoDB reads, each minute", tick * 12, "units", prices.dynamoReadUnitsMillion / 1e6),
    // Lambda asks a quiet queue with five pollers, each for 20 seconds: about 15 a minute, for each of four queues.
    line("SQS, waiting", tick * 15 * 4, "requests", prices.sqsRequestsMillion / 1e6),
  ];
}

function line(item: string, quantity: number, unit: string, price: number): CostLine {
  return { item, quantity, unit, usd: quantity * price };
}

function sum(lines: readonly CostLine[]): number {
  return lines.reduce((total, { usd }) => total + usd, 0);
}
