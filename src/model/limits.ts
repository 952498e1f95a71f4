/** Every limit of the product, once, each with its reason. `docs/limits.md` is checked against this table. */
export const limits = {
  /** One request or uploaded file, after decompression. API Gateway's own limit is 10 MB, so both platforms take the same. */
  bodyBytesMax: 10 * 1024 * 1024,
  /** One event. A DynamoDB item holds 400 KB; 256 KB leaves room for the envelope and for EventBridge and SNS (256 KB). */
  eventBytesMax: 256 * 1024,
  /** One record, as JSON. What a transform adds to an event must leave it below what a DynamoDB item holds, with room for the rest of it. */
  recordBytesMax: 352 * 1024,
  /** Events in one request. */
  eventsPerRequestMax: 10_000,
  /** Events in one uploaded file: 10 MB of the smallest useful rows. */
  eventsPerUploadMax: 500_000,
  /** Nesting of JSON. JSON.parse takes a million levels, JSON.stringify dies on them. */
  jsonDepthMax: 64,
  /** Time a client has to send its whole request. */
  requestTimeoutSeconds: 30,
  /** Invalid events named one by one in an answer; the rest is counted. Keeps an answer under 1 MB. */
  invalidListedMax: 1_000,
  /** Errors named per event. */
  errorsPerEventMax: 20,
  /** Raw bytes waiting to be processed before 429. Bounds the time to catch up, not memory: they wait on disk. */
  inFlightBytesMax: 1024 * 1024 * 1024,
  /** Requests whose bodies are in memory at once before 429. With bodyBytesMax it bounds the memory of the doors. */
  requestBytesInMemoryMax: 64 * 1024 * 1024,
  /** Free disk below which acceptance stops, so that what is accepted can still be processed. */
  diskFreeBytesMin: 64 * 1024 * 1024,
  /** State of a detector of one's own for one key, as JSON: it is read and written with each batch of its key. */
  detectorStateBytesMax: 32 * 1024,
  /** Time that processing one raw object may take: past it its thread is taken to hang, and is started again. */
  objectSecondsMax: 30,
  /** Time that a dry run may take: somebody waits for it. */
  dryRunSecondsMax: 5,
  /** Dry runs that wait for the one before; each takes up to `dryRunSecondsMax`. */
  dryRunsWaitingMax: 20,
  /** Attempts at an event before it is dead. */
  attemptsMax: 5,
  /** Rows in one page of a list. */
  pageRowsMax: 1_000,
  pageRowsDefault: 100,
  /** Rows that one page of a filtered query may look at; a page can end early with a cursor instead of scanning for minutes. */
  scanRowsMax: 200_000,
  /** Buckets of a series. */
  seriesPointsMax: 2_000,
  seriesPointsDefault: 200,
  /** Life of a signed upload link. */
  uploadLinkSeconds: 900,
  /** Body of a request that is not events: a few fields. */
  commandBytesMax: 64 * 1024,
  /** `where[…]` conditions in one query: each costs a look into every row that is scanned. */
  conditionsMax: 20,
  /** Length of a dotted path to a field, as in `where[…]` and `field=`. */
  fieldCharactersMax: 256,
  /** Messages a second to one listener of the live tail; a person reads none of them faster. The rest is counted as `skipped`. */
  liveMessagesPerSecondMax: 200,
  /** Bytes that wait for one slow listener before messages are skipped. With liveListenersMax it bounds the memory of the live tail. */
  liveBytesWaitingMax: 256 * 1024,
  /** Listeners of the live tail at once. */
  liveListenersMax: 100,
  /** Pause after which the live tail sends a comment, so that proxies keep the line open. */
  liveHeartbeatSeconds: 15,
  /** Time after which a listener that takes nothing is let go. */
  liveStalledSeconds: 60,
  /** Attempts after which a failure is no longer taken by replays: it needs another fix. */
  replaysMax: 20,
  /** Items of one job. */
  jobItemsMax: 1_000_000,
  /** Failures that may be named one by one in a selection; more are selected by a filter. */
  jobIdsMax: 10_000,
  /** Items in one step of a job: one commit. */
  jobStepItemsMax: 5_000,
  /** Operations of a JSON Patch, steps of a recipe. */
  patchOperationsMax: 1_000,
} as const;

/** Milliseconds that raw objects, records and failures are kept when the stream does not say otherwise: 7 days. */
export const retentionMillisDefault = 7 * 24 * 60 * 60 * 1000;
