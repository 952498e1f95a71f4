import { Hono } from "hono";
import { EventPulseError } from "../model/error.ts";
import { BodyReader } from "./body.ts";
import { checkSender } from "./check-sender.ts";
import type { AppContext, Endpoint } from "./endpoint.ts";
import { LiveListeners } from "./live-listeners.ts";
import { openApiDocument } from "./open-api-document.ts";
import { respondProblem } from "./problem.ts";
import { requestIdOf } from "./request-id.ts";
import { anomaliesRoutes } from "./routes/anomalies.ts";
import { auditRoutes } from "./routes/audit.ts";
import { balanceRoutes } from "./routes/balance.ts";
import { contractsRoutes } from "./routes/contracts.ts";
import { docsRoutes } from "./routes/docs.ts";
import { eventsRoutes } from "./routes/events.ts";
import { failuresRoutes } from "./routes/failures.ts";
import { healthRoutes } from "./routes/health.ts";
import { issuesRoutes } from "./routes/issues.ts";
import { jobsRoutes } from "./routes/jobs.ts";
import { liveRoutes } from "./routes/live.ts";
import { notificationsRoutes } from "./routes/notifications.ts";
import { recipesRoutes } from "./routes/recipes.ts";
import { recordsRoutes } from "./routes/records.ts";
import { replaysRoutes } from "./routes/replays.ts";
import { streamsRoutes } from "./routes/streams.ts";
import { uploadsRoutes } from "./routes/uploads.ts";
import type { Scope } from "./scope.ts";
import type { RequestEnvironment, Services } from "./services.ts";

export interface App {
  /** Answers every request; never rejects. */
  fetch(request: Request, environment: RequestEnvironment): Promise<Response>;
  /** The OpenAPI 3.1 document. */
  openApi(): object;
  /** All operations as `METHOD /path/{parameter}`, as the router knows them. */
  operations(): readonly string[];
  /** Ends the answers that would never end by themselves (the live tail), so that a server can close. */
  close(): void;
}

/** The HTTP API. Platforms translate their requests and give the services; nothing here knows which platform it is. */
export function createApp(services: Services): App {
  const listeners = new LiveListeners();
  const openApi = () => {
    document ??= openApiDocument(endpoints, services.version);
    return document;
  };
  const endpoints = endpointsOf(listeners, openApi);
  let document: object | null = null;
  const router = routerOf(endpoints);
  return {
    async fetch(request, environment) {
      const scope: Scope = { services, environment, requestId: requestIdOf(request) };
      try {
        checkSender(services, request);
        return await router.fetch(request, scope);
      } catch (error) {
        // The router hands on what was thrown and is no Error; the sender is checked before it.
        const response = respondProblem(scope, error, pathOf(request));
        return request.method === "HEAD" ? new Response(null, response) : response;
      }
    },
    openApi,
    operations: () => router.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`),
    close: () => listeners.close(),
  };
}

/** The OpenAPI 3.1 document without an app: what `eventpulse openapi` prints. */
export function apiDocument(version: string): object {
  return openApiDocument(
    endpointsOf(new LiveListeners(), () => ({})),
    version,
  );
}

function endpointsOf(listeners: LiveListeners, openApi: () => object): readonly Endpoint[] {
  return [
    ...eventsRoutes(new BodyReader()),
    ...streamsRoutes,
    ...contractsRoutes,
    ...recordsRoutes,
    ...anomaliesRoutes,
    ...failuresRoutes,
    ...issuesRoutes,
    ...replaysRoutes,
    ...jobsRoutes,
    ...recipesRoutes,
    ...uploadsRoutes,
    ...notificationsRoutes,
    ...auditRoutes,
    ...balanceRoutes,
    ...liveRoutes(listeners),
    ...healthRoutes,
    ...docsRoutes(openApi),
  ];
}

function routerOf(endpoints: readonly Endpoint[]): Hono<{ Bindings: Scope }> {
  const router = new Hono<{ Bindings: Scope }>();
  for (const { document, handle } of endpoints) {
    router.on(document.method, document.path.replaceAll(/\{(\w+)\}/g, ":$1"), handle);
  }
  router.notFound((context) => respondNotFound(router, context));
  router.onError((error, context) => respondProblem(context.env, error, context.req.path));
  return router;
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** 404, or 405 with `Allow` where the path takes other methods, or what an OPTIONS request asks for. */
function respondNotFound(router: Hono<{ Bindings: Scope }>, context: AppContext): Response {
  const { path, method } = context.req;
  const found: string[] = methods.filter((other) => router.router.match(other, path)[0].length > 0);
  if (found.length === 0) {
    const error = new EventPulseError(
      "ROUTE_UNKNOWN",
      "Nothing is at this address; /openapi.json lists what there is.",
    );
    return respondProblem(context.env, error, path);
  }
  const allow = [...found, ...(found.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
  if (method === "OPTIONS") {
    return new Response(null, { status: 204, headers: { allow, "x-request-id": context.env.requestId } });
  }
  const error = new EventPulseError("METHOD_NOT_ALLOWED", `This address takes ${allow}.`);
  return respondProblem(context.env, error, path, { allow });
}

function pathOf(request: Request): string {
  return URL.parse(request.url)?.pathname ?? "/";
}
