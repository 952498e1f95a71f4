import type { HealthCheck, Principal, Services } from "../../../http/services.ts";
import { EventPulseError } from "../../../model/error.ts";
import type { Balance } from "../../../model/outcome.ts";
import { sumBalances } from "../../../model/sum-balances.ts";
import { judgeEdit } from "../../../pipeline/failures/edit.ts";
import type { Contract } from "../../../pipeline/process/contract.ts";
import { dryRun } from "../../../pipeline/process/dry-run.ts";
import { dynamoAnomalyLog } from "../anomaly-log.ts";
import { dynamoAuditLog } from "../audit-log.ts";
import { dynamoContractVersions } from "../contract-versions.ts";
import { dynamoFailureLog } from "../failure-log.ts";
import { dynamoIssueLog } from "../issue-log.ts";
import { dynamoJobLog } from "../job-log.ts";
import { dynamoNotificationLog } from "../notification-log.ts";
import { readBalance } from "../pending-objects.ts";
import { dynamoRecordTable } from "../record-table.ts";
import { sqsWorkQueue } from "../work-queue.ts";
import { optional, required } from "./environment.ts";
import { openObjects, openOutbox, type Stage } from "./stage.ts";
import { linkedObjects } from "./upload-objects.ts";

/** What changes between two requests. */
export interface HttpStage {
  readonly stage: Stage;
  principalOf: (token: string) => Principal | null;
  /** Where the request was sent to. */
  baseUrl: string;
}

/** The services of the HTTP app, over the table, the buckets and the queue. */
export function httpServices(http: HttpStage): Services {
  const { stage } = http;
  const { table, project, tenants, contracts, telemetry, version } = stage;
  const stores = openObjects(stage);
  const { sqs, outbox } = openOutbox(stage);
  const [queueUrl, deadQueueUrl] = [required("workQueueUrl"), required("workDeadQueueUrl")];
  const options = { outbox, objects: stores.quarantine };
  const records = dynamoRecordTable(table, options);
  const versions = dynamoContractVersions(table);
  const balance = async (tenant: string) =>
    readBalance(table, tenant, [...project.streams.keys(), ...(await versions.streams(tenant))]);
  const contractOf = (stream: string): Contract => {
    const contract = contracts.get(stream);
    if (contract !== undefined) return contract;
    throw new EventPulseError("STREAM_UNKNOWN", "The stream is not in the config now.");
  };
  return {
    version,
    records,
    project: () => project,
    contract: (stream) => contracts.get(stream) ?? null,
    raw: stores.raw,
    objects: linkedObjects(stores),
    queue: sqsWorkQueue({ client: sqs, queueUrl, deadQueueUrl, outbox, clock: Date.now }),
    contracts: versions,
    anomalies: dynamoAnomalyLog(table),
    failures: dynamoFailureLog(table, options),
    issues: dynamoIssueLog(table),
    jobs: dynamoJobLog(table, options),
    audit: dynamoAuditLog(table),
    notifications: dynamoNotificationLog(table),
    // One request at a time is in this process: what runs the config's code holds up nobody else.
    dryRun: async ({ stream, ...request }) =>
      JSON.stringify(await dryRun({ ...request, contract: contractOf(stream) })),
    judgeEdit: (request) => judgeEdit(request, contractOf(request.failure.stream)),
    readRaw: (key) => stores.raw.read(key),
    balance,
    readiness: () =>
      Promise.all([
        check("accept", "The bucket of raw objects answers.", () => stores.objects.head("raw/none")),
        check("query", "The table answers.", () => records.objectResult("raw/none")),
      ]),
    metrics: async () => metricsText(version, sumBalances(await Promise.all(tenants.map(balance)))),
    // Nothing is told while a request is answered: see `answerLive`.
    subscribe: () => () => undefined,
    authenticate: (token) => (token === null ? null : http.principalOf(token)),
    // API Gateway has chosen the API by the Host header already.
    hostAllowed: () => true,
    publicUrl: () => optional("publicUrl") ?? http.baseUrl,
    verifyUploadLink: () => {
      throw new EventPulseError("LINK_INVALID", "Upload links of this platform lead to S3: send the file there.");
    },
    asset: () => null,
    log: (error, requestId) => telemetry.error("A request failed.", error, { problemOf: requestId }),
  };
}

async function check(name: string, detail: string, probe: () => Promise<unknown>): Promise<HealthCheck> {
  try {
    await probe();
    return { name, ok: true, detail };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

const counters = ["accepted", "stored", "dropped", "quarantined", "dead", "duplicates"] as const;

/** The balance in Prometheus text format 0.0.4; everything else is in CloudWatch. */
export function metricsText(version: string, balance: ReadonlyMap<string, Balance>): string {
  const lines = [
    "# HELP eventpulse_info Version of EventPulse.",
    "# TYPE eventpulse_info gauge",
    `eventpulse_info{version="${version}"} 1`,
  ];
  const metric = (name: string, type: "counter" | "gauge", help: string, pick: (balance: Balance) => number) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [stream, one] of balance) lines.push(`${name}{stream="${stream}"} ${pick(one)}`);
  };
  for (const name of counters) {
    // A failure that is mended leaves its count, so those two can fall.
    const type = name === "quarantined" || name === "dead" ? "gauge" : "counter";
    const suffix = type === "counter" ? "_total" : "";
    metric(`eventpulse_events_${name}${suffix}`, type, `Events ${name}, by stream.`, (one) => one[name]);
  }
  const waiting = "Events accepted and not processed yet, by stream.";
  metric("eventpulse_events_in_flight", "gauge", waiting, ({ inFlight }) => inFlight);
  return `${lines.join("\n")}\n`;
}
