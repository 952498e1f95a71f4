import * as z from "zod";
import { type ErrorCode, EventPulseError, errorCodes } from "../../model/error.ts";
import { described, named } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { escapeHtml, htmlPage } from "../html.ts";
import { negotiate } from "../negotiate.ts";
import { problemType } from "../problem.ts";
import { respond, respondHtml, respondJson } from "../respond.ts";

/** Swagger UI without its start page: that one loads an example from elsewhere. */
const startScript = `SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#api", deepLinking: true, tryItOutEnabled: true, validatorUrl: null,
  defaultModelsExpandDepth: 0, displayOperationId: true
});
`;

const docsPage =
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<title>EventPulse API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head><body><div id="api"></div>` +
  `<noscript>This page needs JavaScript; <a href="/openapi.json">the same as JSON</a>.</noscript>` +
  `<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`;

const docsFiles: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
};

const html = (example: string) => ({ "text/html": { schema: null, example } });

const getHome = endpoint(
  {
    method: "GET",
    path: "/",
    operationId: "getHome",
    summary: "Start page",
    tag: "documentation",
    access: "open",
    responses: { 200: { description: "Links to everything.", content: html("<!doctype html>…") } },
  },
  (call) => {
    const { name, streams } = call.services.project();
    const links = [
      ["/docs", "API, to try out"],
      ["/openapi.json", "API, as OpenAPI 3.1"],
      ["/health/ready", "Health"],
      ["/v1/balance", "Balance: where every event is"],
      ["/v1/streams", `Streams: ${[...streams.keys()].join(", ")}`],
      ["/v1/failures", "Failures"],
      ["/v1/notifications", "Notifications"],
      ["/metrics", "Metrics"],
    ];
    const rows = links.map(
      ([href = "", text = ""]) => `<tr><td><a href="${href}">${href}</a></td><td>${escapeHtml(text)}</td></tr>`,
    );
    const title = `EventPulse ${call.services.version}: ${name}`;
    return respondHtml(call, htmlPage(title, `<h1>${escapeHtml(title)}</h1><table>${rows.join("")}</table>`));
  },
);

const getDocs = endpoint(
  {
    method: "GET",
    path: "/docs",
    operationId: "getDocs",
    summary: "This API, to read and to try out",
    tag: "documentation",
    access: "open",
    responses: { 200: { description: "Swagger UI; loads nothing from elsewhere.", content: html(docsPage) } },
  },
  (call) => respondHtml(call, docsPage),
);

const getDocsFile = endpoint(
  {
    method: "GET",
    path: "/docs/{file}",
    operationId: "getDocsFile",
    summary: "A file of the documentation page",
    tag: "documentation",
    access: "open",
    params: { file: described("`swagger-ui-bundle.js`, `swagger-ui.css` or `start.js`.", z.string()) },
    responses: {
      200: {
        description: "The file.",
        content: {
          "text/javascript": { schema: null, example: startScript },
          "text/css": { schema: null, example: "body{}" },
        },
      },
    },
    problems: ["ROUTE_UNKNOWN"],
  },
  (call) => {
    const { file } = call.params;
    const caching = { "cache-control": "max-age=3600" };
    if (file === "start.js") return respond(call, 200, "text/javascript; charset=utf-8", startScript, caching);
    const type = Object.hasOwn(docsFiles, file) ? docsFiles[file] : undefined;
    const bytes = type === undefined ? null : call.services.asset(file);
    if (type === undefined || bytes === null) {
      throw new EventPulseError("ROUTE_UNKNOWN", "This installation has no such file; /openapi.json is always there.");
    }
    return respond(call, 200, type, new Uint8Array(bytes), caching);
  },
);

const problemCodeSchema = named(
  "ProblemCode",
  "What a problem's code means.",
  z.object({
    code: z.string(),
    status: z.int(),
    title: z.string(),
    retry: described(
      "Whether sending again can help: `now`, `later` (back off) or `never`.",
      z.enum(["now", "later", "never"]),
    ),
  }),
);

const advice = {
  now: "Sending the same request again can help at once.",
  later: "Sending the same request again can help later: wait as Retry-After says, then ever longer.",
  never: "Sending the same request again gives the same answer: change the request, the config or the state first.",
} as const;

const getProblemCode = endpoint(
  {
    method: "GET",
    path: "/problems/{code}",
    operationId: "getProblemCode",
    summary: "What a problem's code means",
    description: "Where the `type` of a problem leads. A page, or JSON with `Accept: application/json`.",
    tag: "documentation",
    access: "open",
    params: { code: described("For example `STREAM_UNKNOWN`.", z.string()) },
    responses: {
      200: {
        description: "The explanation.",
        content: {
          ...html("<!doctype html>…"),
          "application/json": {
            schema: problemCodeSchema,
            example: { code: "STREAM_UNKNOWN", ...errorCodes.STREAM_UNKNOWN },
          },
        },
      },
    },
    problems: ["ROUTE_UNKNOWN"],
  },
  (call) => {
    const { code } = call.params;
    if (!isErrorCode(code)) throw new EventPulseError("ROUTE_UNKNOWN", "No problem has this code.");
    const { status, title, retry } = errorCodes[code];
    if (negotiate(call.request.headers.get("accept"), ["text/html", "application/json"]) === "application/json") {
      return respondJson(call, 200, { code, status, title, retry }, { vary: "accept" });
    }
    const body = `<h1><code>${code}</code></h1><p>${escapeHtml(title)}.</p><p>HTTP status ${status}. ${advice[retry]}</p>`;
    return respondHtml(call, htmlPage(`${problemType(code)}: ${title}`, body));
  },
);

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

/** Pages and documents about the API. `openApi` gives the document that this file is part of. */
export function docsRoutes(openApi: () => object): readonly Endpoint[] {
  const getOpenApi = endpoint(
    {
      method: "GET",
      path: "/openapi.json",
      operationId: "getOpenApi",
      summary: "This API as OpenAPI 3.1",
      tag: "documentation",
      access: "open",
      responses: {
        200: {
          description: "The document.",
          content: { "application/json": { schema: z.record(z.string(), z.unknown()), example: { openapi: "3.1.0" } } },
        },
      },
    },
    (call) => respondJson(call, 200, openApi()),
  );
  return [getHome, getDocs, getDocsFile, getOpenApi, getProblemCode];
}
