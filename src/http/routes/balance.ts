import * as z from "zod";
import type { Balance } from "../../model/outcome.ts";
import { addBalances, emptyBalance } from "../../model/sum-balances.ts";
import { described, named } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { respondJson } from "../respond.ts";

const countsSchema = named(
  "BalanceCounts",
  "Counted in events: `accepted = stored + dropped + quarantined + dead + inFlight`.",
  z.object({
    accepted: z.int(),
    stored: z.int(),
    dropped: described("By a transform, or discarded by somebody.", z.int()),
    quarantined: z.int(),
    dead: z.int(),
    inFlight: described("Durable, and waiting or being processed or retried.", z.int()),
    duplicates: described("Events that came again; beside the balance, not in it.", z.int()),
  }),
);
const balanceSchema = named(
  "Balance",
  "Where every accepted event is, at one moment.",
  z.object({ total: countsSchema, streams: z.record(z.string(), countsSchema) }),
);

const counts: Balance = {
  accepted: 1000,
  stored: 990,
  dropped: 2,
  quarantined: 3,
  dead: 0,
  inFlight: 5,
  duplicates: 4,
};

const getBalance = endpoint(
  {
    method: "GET",
    path: "/v1/balance",
    operationId: "getBalance",
    summary: "Get the balance",
    description: "Answers for every event that was accepted since the data began.",
    tag: "operations",
    responses: {
      200: {
        description: "The balance.",
        content: {
          "application/json": { schema: balanceSchema, example: { total: counts, streams: { orders: counts } } },
        },
      },
    },
  },
  async (call) => {
    const streams = [...(await call.services.balance(call.principal.tenant))];
    const total = streams.reduce((sum, [, balance]) => addBalances(sum, balance), emptyBalance);
    // fromEntries defines properties, so a stream called "__proto__" is one like any other.
    return respondJson(call, 200, {
      total,
      streams: Object.fromEntries(streams.map(([name, one]) => [name, addBalances(emptyBalance, one)])),
    });
  },
);

const meSchema = named("Me", "Who asks.", z.object({ name: z.string(), tenant: z.string() }));

const getMe = endpoint(
  {
    method: "GET",
    path: "/v1/me",
    operationId: "getMe",
    summary: "Get who I am",
    tag: "operations",
    responses: {
      200: {
        description: "The holder of the key.",
        content: { "application/json": { schema: meSchema, example: { name: "anonymous", tenant: "default" } } },
      },
    },
  },
  (call) => respondJson(call, 200, { name: call.principal.name, tenant: call.principal.tenant }),
);

export const balanceRoutes: readonly Endpoint[] = [getBalance, getMe];
