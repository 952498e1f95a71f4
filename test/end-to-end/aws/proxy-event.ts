import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";

export interface GatewayRequest {
  readonly id: string;
  readonly method: string;
  /** As the client sent it, with its query. */
  readonly target: string;
  /** Name, value, name, value, … as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  readonly sourceIp: string;
  readonly stage: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export interface GatewayAnswer {
  readonly status: number;
  /** Name and value, a name as often as it has values. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

/** Headers that API Gateway keeps for itself: the client gets the function's under another name. */
const remapped = new Set(["connection", "content-length", "date", "server", "www-authenticate"]);

/**
 * A request as API Gateway hands it to a function (REST API, Lambda proxy, payload version 1.0), with every media type declared
 * binary as `infra/` does, so that each body comes in base64.
 * Source: API Gateway developer guide, "Input format of a Lambda function for proxy integration".
 */
export function proxyEvent(request: GatewayRequest): APIGatewayProxyEvent {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    headers.set(name, [...(headers.get(name) ?? []), request.rawHeaders[index + 1] ?? ""]);
  }
  headers.set("X-Forwarded-For", [request.sourceIp]);
  headers.set("X-Forwarded-Proto", ["http"]);
  const [path = "/", query = ""] = splitOnce(request.target, "?");
  const parameters = new URLSearchParams(query);
  const names = [...new Set(parameters.keys())];
  const hasBody = request.body.length > 0;
  return {
    resource: "/{proxy+}",
    path,
    httpMethod: request.method,
    headers: Object.fromEntries([...headers].map(([name, values]) => [name, values.at(-1)])),
    multiValueHeaders: Object.fromEntries(headers),
    queryStringParameters:
      names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, parameters.getAll(name).at(-1)])),
    multiValueQueryStringParameters:
      names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, parameters.getAll(name)])),
    pathParameters: { proxy: path.slice(1) },
    stageVariables: null,
    body: hasBody ? Buffer.from(request.body).toString("base64") : null,
    isBase64Encoded: hasBody,
    requestContext: {
      accountId: "123456789012",
      apiId: "driver",
      authorizer: null,
      httpMethod: request.method,
      identity: identityOf(request.sourceIp, headers),
      path: `/${request.stage}${path}`,
      protocol: "HTTP/1.1",
      requestId: request.id,
      requestTimeEpoch: request.time,
      resourceId: "driver",
      resourcePath: "/{proxy+}",
      stage: request.stage,
    },
  };
}

/** What API Gateway makes of a function's result, or null when it is not of the form that a proxy integration must have (502). */
export function gatewayAnswer(result: unknown): GatewayAnswer | null {
  if (typeof result !== "object" || result === null) return null;
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = result as Partial<APIGatewayProxyResult>;
  if (!Number.isInteger(Number(statusCode)) || (body !== undefined && body !== null && typeof body !== "string"))
    return null;
  const values = new Map<string, readonly [string, readonly string[]]>();
  for (const [name, value] of Object.entries(headers ?? {})) values.set(name.toLowerCase(), [name, [String(value)]]);
  for (const [name, list] of Object.entries(multiValueHeaders ?? {}))
    values.set(name.toLowerCase(), [name, list.map(String)]);
  const named = [...values].map(([key, [name, list]]) => [remapped.has(key) ? `x-amzn-Remapped-${name}` : name, list]);
  return {
    status: Number(statusCode),
    headers: named.flatMap(([name, list]) => (list as string[]).map((value) => [name as string, value] as const)),
    body: Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8"),
  };
}

function identityOf(
  sourceIp: string,
  headers: ReadonlyMap<string, readonly string[]>,
): APIGatewayProxyEvent["requestContext"]["identity"] {
  return {
    accessKey: null,
    accountId: null,
    apiKey: null,
    apiKeyId: null,
    caller: null,
    clientCert: null,
    cognitoAuthenticationProvider: null,
    cognitoAuthenticationType: null,
    cognitoIdentityId: null,
    cognitoIdentityPoolId: null,
    principalOrgId: null,
    sourceIp,
    user: null,
    userAgent: headers.get("user-agent")?.at(-1) ?? null,
    userArn: null,
  };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
