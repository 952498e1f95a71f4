/** List prices of AWS that a stage of EventPulse pays, in USD, without free tiers. */
export interface AwsPrices {
  readonly region: string;
  /** The day they were read. */
  readonly asOf: string;
  readonly source: string;
  readonly apiRequestsMillion: number;
  readonly lambdaRequestsMillion: number;
  readonly lambdaGigabyteSecondArm: number;
  readonly s3PutsThousand: number;
  readonly s3GetsThousand: number;
  readonly s3GigabyteMonth: number;
  readonly eventBridgeEventsMillion: number;
  readonly sqsRequestsMillion: number;
  readonly dynamoWriteUnitsMillion: number;
  readonly dynamoReadUnitsMillion: number;
  readonly dynamoGigabyteMonth: number;
  readonly logsGigabyte: number;
  readonly xrayTracesMillion: number;
  readonly kmsCallsTenThousand: number;
  readonly kmsKeyMonth: number;
  readonly secretMonth: number;
  readonly alarmMonth: number;
  readonly compositeAlarmMonth: number;
  readonly metricMonth: number;
  readonly dashboardMonth: number;
}

/** Prices change: `eventpulse cost --prices FILE` takes newer or other ones in this shape. */
export const awsPrices: AwsPrices = {
  region: "us-east-1",
  asOf: "2026-10-31",
  source: "the public price pages of each service, read between 2025 and October 2026",
  apiRequestsMillion: 3.5,
  lambdaRequestsMillion: 0.2,
  lambdaGigabyteSecondArm: 0.000_013_333_4,
  s3PutsThousand: 0.005,
  s3GetsThousand: 0.0004,
  s3GigabyteMonth: 0.023,
  eventBridgeEventsMillion: 1,
  sqsRequestsMillion: 0.4,
  dynamoWriteUnitsMillion: 0.625,
  dynamoReadUnitsMillion: 0.125,
  dynamoGigabyteMonth: 0.25,
  logsGigabyte: 0.5,
  xrayTracesMillion: 5,
  kmsCallsTenThousand: 0.03,
  kmsKeyMonth: 1,
  secretMonth: 0.4,
  alarmMonth: 0.1,
  compositeAlarmMonth: 0.5,
  metricMonth: 0.3,
  dashboardMonth: 3,
};
