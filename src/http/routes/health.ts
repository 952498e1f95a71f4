import * as z from "zod";
import { described, named } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { respond, respondJson } from "../respond.ts";

const liveSchema = named(
  "Liveness",
  "The process answers.",
  z.object({ status: z.literal("ok"), version: z.string() }),
);
const readySchema = named(
  "Readiness",
  "Whether events can be accepted and processed now.",
  z.object({
    status: z.enum(["ok", "failing"]),
    checks: z.array(
      z.object({
        name: z.string(),
        ok: z.boolean(),
        detail: described("What was measured, or what is wrong and what to do.", z.string()),
      }),
    ),
  }),
);

const getLiveness = endpoint(
  {
    method: "GET",
    path: "/health/live",
    operationId: "getLiveness",
    summary: "Is the process alive?",
    tag: "operations",
    access: "open",
    responses: {
      200: {
        description: "It is.",
        content: { "application/json": { schema: liveSchema, example: { status: "ok", version: "0.1.0" } } },
      },
    },
  },
  (call) => respondJson(call, 200, { status: "ok", version: call.services.version }),
);

const writePath = { name: "write path", ok: true, detail: "4096 bytes flushed in 0.8 ms" };
const noSpace = { name: "write path", ok: false, detail: "The disk is full: free at least 64 MB." };

const getReadiness = endpoint(
  {
    method: "GET",
    path: "/health/ready",
    operationId: "getReadiness",
    summary: "Can events be accepted?",
    description: "Tries the real write path.",
    tag: "operations",
    access: "open",
    responses: {
      200: {
        description: "All checks are good.",
        content: { "application/json": { schema: readySchema, example: { status: "ok", checks: [writePath] } } },
      },
      503: {
        description: "A check fails; `checks` says which and what to do.",
        headers: { "Retry-After": "Seconds." },
        content: { "application/json": { schema: readySchema, example: { status: "failing", checks: [noSpace] } } },
      },
    },
  },
  async (call) => {
    const checks = (await call.services.readiness()).map(({ name, ok, detail }) => ({ name, ok, detail }));
    if (checks.every(({ ok }) => ok)) return respondJson(call, 200, { status: "ok", checks });
    return respondJson(call, 503, { status: "failing", checks }, { "retry-after": "5" });
  },
);

const getMetrics = endpoint(
  {
    method: "GET",
    path: "/metrics",
    operationId: "getMetrics",
    summary: "Get metrics",
    tag: "operations",
    access: "open",
    responses: {
      200: {
        description: "Prometheus text format 0.0.4.",
        content: {
          "text/plain": {
            schema: null,
            example:
              '# TYPE eventpulse_events_accepted_total counter\neventpulse_events_accepted_total{stream="orders"} 1000\n',
          },
        },
      },
    },
  },
  async (call) => respond(call, 200, "text/plain; version=0.0.4; charset=utf-8", await call.services.metrics()),
);

export const healthRoutes: readonly Endpoint[] = [getLiveness, getReadiness, getMetrics];
