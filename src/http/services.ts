import type { Anomaly } from "../model/anomaly.ts";
import type { ContractVersion } from "../model/contract-version.ts";
import type { Project } from "../model/definition.ts";
import type { Failure } from "../model/failure.ts";
import type { Balance } from "../model/outcome.ts";
import type { RawObject } from "../model/raw-object.ts";
import type { StoredRecord } from "../model/record.ts";
import type { EditJudgement, EditRequest } from "../pipeline/failures/edit.ts";
import type { UploadLinks, VerifiedUploadLink } from "../pipeline/ingest/upload.ts";
import type { Contract } from "../pipeline/process/contract.ts";
import type { DryRunRequest } from "../pipeline/process/dry-run.ts";
import type { AnomalyLog } from "../ports/anomaly-log.ts";
import type { AuditLog } from "../ports/audit-log.ts";
import type { FailureLog } from "../ports/failure-log.ts";
import type { IssueLog } from "../ports/issue-log.ts";
import type { JobLog } from "../ports/job-log.ts";
import type { NotificationLog } from "../ports/notification-log.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { RawLog } from "../ports/raw-log.ts";
import type { RecordTable } from "../ports/record-table.ts";
import type { WorkQueue } from "../ports/work-queue.ts";

export interface Principal {
  readonly name: string;
  readonly tenant: string;
}

export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What is measured, or what is wrong and what to do. */
  readonly detail: string;
}

/** What `/v1/live` tells. `skipped`: so many were left out because there was too much; never in silence. */
export type LiveEvent =
  | { readonly kind: "record"; readonly record: StoredRecord }
  | { readonly kind: "failure"; readonly failure: Failure }
  | { readonly kind: "anomaly"; readonly anomaly: Anomaly }
  | { readonly kind: "skipped"; readonly count: number };

/** What the HTTP app needs from its platform. */
export interface Services {
  readonly version: string;
  /** The config in force; changes on reload. */
  project(): Project;
  contract(stream: string): Contract | null;
  readonly raw: Pick<RawLog, "append">;
  readonly objects: Pick<ObjectStore, "put" | "get" | "head"> & UploadLinks;
  readonly queue: Pick<WorkQueue, "enqueue">;
  readonly records: Pick<RecordTable, "query" | "get" | "series" | "objectResult" | "rawKeys">;
  /** Versions of a stream's contract, the one in force first. */
  readonly contracts: { list(tenant: string, stream: string): Promise<readonly ContractVersion[]> };
  readonly anomalies: AnomalyLog;
  readonly failures: Pick<FailureLog, "query" | "get" | "payload" | "retry" | "discard" | "edit">;
  readonly issues: Pick<IssueLog, "query" | "get" | "trend" | "change">;
  readonly jobs: Pick<JobLog, "plan" | "create" | "get" | "query" | "items" | "change">;
  readonly audit: AuditLog;
  readonly notifications: Pick<NotificationLog, "query" | "get">;
  /**
   * What `dryRun` of the pipeline says, as JSON text. It runs code of the config, so not where it could stop the answers to
   * others. Throws what `dryRun` throws, DRY_RUN_ENDED and TOO_BUSY.
   */
  dryRun(request: DryRunRequest): Promise<string>;
  /** What `judgeEdit` of the pipeline says; runs where dry runs do. Throws PATCH_INVALID, EDIT_REFUSED, DRY_RUN_ENDED, TOO_BUSY. */
  judgeEdit(request: EditRequest): Promise<EditJudgement>;
  /** The raw object with this key, wherever it lies; null when it is gone. */
  readRaw(key: string): Promise<RawObject | null>;
  /** Of one tenant, by stream; every stream of the project is there. One consistent moment. */
  balance(tenant: string): Promise<ReadonlyMap<string, Balance>>;
  /** Tries the real write path; every check is reported, good or bad. */
  readiness(): Promise<readonly HealthCheck[]>;
  /** Prometheus text format 0.0.4; for whoever runs the platform, so it counts all tenants together. */
  metrics(): Promise<string>;
  /** Calls `listener` for what a tenant has committed from now on, until the returned function is called. `stream` null: all. */
  subscribe(tenant: string, stream: string | null, listener: (event: LiveEvent) => void): () => void;
  /** Who holds this bearer token; null: nobody. A request without a token has `null` here and is a principal only where that is allowed. */
  authenticate(token: string | null): Principal | null;
  /** Whether a Host header names this server; always true off loopback. */
  hostAllowed(host: string): boolean;
  /** Base URL as clients see it, without a trailing slash. */
  publicUrl(): string;
  /**
   * What an upload link of this platform's own store (`PUT /v1/uploads/{id}/content` with its signature) allows. Throws
   * LINK_INVALID and LINK_EXPIRED. Platforms whose links lead elsewhere (S3) always throw LINK_INVALID.
   */
  verifyUploadLink(url: string): VerifiedUploadLink;
  /** A file of the browser pages by its plain name (`swagger-ui-bundle.js`); null when this installation does not have it. */
  asset(name: string): Uint8Array | null;
  /** Records an error that is answered with 500. The only place where its stack and message go. */
  log(error: unknown, requestId: string): void;
}

/** What the platform's entry point gives with each request. */
export interface RequestEnvironment {
  /**
   * The whole body as it came, before Content-Encoding is removed. Throws BODY_TOO_LARGE past `bytesMax` (without reading
   * on), BODY_TRUNCATED when the client hung up, BODY_TOO_SLOW, TOO_BUSY when too many bodies are in memory.
   */
  readBody(bytesMax: number): Promise<Uint8Array>;
}
