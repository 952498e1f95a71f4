import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

export const orders = stream({
  schema: z.object({
    id: z.string(),
    email: z.email(),
    total: z.number().nonnegative(),
    currency: z.enum(["EUR", "USD"]),
    at: z.iso.datetime(),
  }),
  key: "id",
  time: "at",
  pii: ["email"],
  transform: (order) => ({ ...order, cents: Math.round(order.total * 100) }),
});

export default defineConfig({ name: "shop", streams: { orders } });
