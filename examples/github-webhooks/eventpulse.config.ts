import { defineConfig, http, stream } from "eventpulse";
import { z } from "zod";

const account = z.looseObject({ login: z.string(), id: z.number().int() });

/**
 * Webhooks as GitHub sends them: 58 kinds of event, deep and irregular. The contract asks for what our team relies on, that
 * somebody did it, and lets everything else through. Security advisories have no sender, so they are quarantined: kept with
 * their bytes and the reason, and retried once the contract allows them.
 */
export const deliveries = stream({
  schema: z.looseObject({
    action: z.string().optional(),
    sender: account,
    repository: z.looseObject({ id: z.number().int(), full_name: z.string(), private: z.boolean() }).nullish(),
    organization: z.looseObject({ login: z.string() }).nullish(),
    installation: z.looseObject({ id: z.number().int() }).nullish(),
  }),
  pii: ["sender.login"],
  // A delivery is a CloudEvent in binary mode: GitHub's X-GitHub-Event header is its type, X-GitHub-Delivery its id.
  transform: (payload, { attributes }) => ({
    event: attributes["type"]?.replace("com.github.", "") ?? "unknown",
    action: payload.action ?? null,
    repository: payload.repository?.full_name ?? null,
    organization: payload.organization?.login ?? null,
    installation: payload.installation?.id ?? null,
    sender: payload.sender.login,
    bot: payload.sender["type"] === "Bot",
    fields: Object.keys(payload).length,
  }),
});

export default defineConfig({ name: "github-webhooks", streams: { deliveries }, sources: [http()] });
