export interface AwsRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** A call of AWS in the terms of IAM. */
export interface AwsCall {
  /** `s3:PutObject`. */
  readonly action: string;
  /** What is called: a table, with `/index/NAME` for an index; a bucket, with `/KEY` for an object; else as the request names it. */
  readonly resource: string;
}

/** The service that a request was signed for, or null when it is not signed: a link was used, or a browser came. */
export function serviceOf(headers: AwsRequest["headers"]): string | null {
  return /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(headers["authorization"] ?? "")?.[1] ?? null;
}

/**
 * The permissions that a request of a function needs. A transaction needs that of each of its parts.
 * Source: Service Authorization Reference, by service.
 */
export function awsCalls(request: AwsRequest): AwsCall[] {
  const service = serviceOf(request.headers);
  if (service === null) return [];
  if (service === "s3") return [s3Call(request)];
  const operation = request.headers["x-amz-target"]?.split(".").at(-1);
  if (service === "dynamodb") return dynamoCalls(operation ?? "", request.body);
  if (service === "ses") return [sesCall(request)];
  if (operation !== undefined) {
    const input = parsed(request.body);
    // A batch of SQS needs the permission of the single call.
    const action = service === "sqs" ? operation.replace(/Batch$/, "") : operation;
    return [{ action: `${service}:${action}`, resource: text(input["QueueUrl"] ?? input["SecretId"]) }];
  }
  const form = new URLSearchParams(request.body);
  const action = form.get("Action") ?? `${request.method} ${request.target}`;
  return [
    { action: `${service}:${action.replace(/^PublishBatch$/, "Publish")}`, resource: form.get("TopicArn") ?? "" },
  ];
}

const transactionParts: Readonly<Record<string, string>> = {
  Put: "PutItem",
  Update: "UpdateItem",
  Delete: "DeleteItem",
  ConditionCheck: "ConditionCheckItem",
  Get: "GetItem",
};

function dynamoCalls(operation: string, body: string): AwsCall[] {
  const input = parsed(body);
  const call = (action: string, table: unknown) => ({ action: `dynamodb:${action}`, resource: text(table) });
  if (operation.startsWith("Transact")) {
    const items = (input["TransactItems"] ?? []) as Record<string, { TableName?: string }>[];
    return items
      .flatMap((item) => Object.entries(item))
      .map(([part, { TableName }]) => call(transactionParts[part] ?? part, TableName));
  }
  if (operation.startsWith("Batch")) {
    return Object.keys((input["RequestItems"] ?? {}) as object).map((table) => call(operation, table));
  }
  const index = input["IndexName"] === undefined ? "" : `/index/${text(input["IndexName"])}`;
  return [call(operation, `${text(input["TableName"])}${index}`)];
}

function s3Call({ method, target, headers }: AwsRequest): AwsCall {
  const { pathname, searchParams } = new URL(target, "http://s3");
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(pathname) ?? [];
  const action = key === "" ? bucketAction(method, searchParams) : objectAction(method, searchParams, headers);
  return { action: `s3:${action}`, resource: key === "" ? bucket : `${bucket}/${decodeURIComponent(key)}` };
}

function bucketAction(method: string, query: URLSearchParams): string {
  if (method === "POST" && query.has("delete")) return "DeleteObject";
  if (query.has("versions")) return "ListBucketVersions";
  if (query.has("uploads")) return "ListBucketMultipartUploads";
  return method === "GET" || method === "HEAD" ? "ListBucket" : `${method} ${query}`;
}

function objectAction(method: string, query: URLSearchParams, headers: AwsRequest["headers"]): string {
  const suffix = query.has("versionId") ? "Version" : "";
  if (query.has("tagging"))
    return `${method === "GET" ? "Get" : method === "PUT" ? "Put" : "Delete"}Object${suffix}Tagging`;
  if (method === "DELETE") return query.has("uploadId") ? "AbortMultipartUpload" : `DeleteObject${suffix}`;
  if (method === "GET" && query.has("uploadId")) return "ListMultipartUploadParts";
  if (method === "GET" || method === "HEAD") return `GetObject${suffix}`;
  // A copy also reads its source; that it is one shows here, so that the comparison names it.
  return headers["x-amz-copy-source"] === undefined ? "PutObject" : "PutObject+GetObject";
}

function sesCall({ target, body }: AwsRequest): AwsCall {
  const input = parsed(body);
  const raw = (input["Content"] as Record<string, unknown> | undefined)?.["Raw"] !== undefined;
  const action = target.startsWith("/v2/email/outbound-emails") ? (raw ? "SendRawEmail" : "SendEmail") : target;
  return { action: `ses:${action}`, resource: text(input["FromEmailAddress"]) };
}

function parsed(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
