import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Platform, withPlatform } from "../platform.ts";

/** Sends the 329 example payloads of @octokit/webhooks-examples as GitHub would deliver them, and shows what became of them. */
interface Kind {
  readonly name: string;
  readonly examples: readonly unknown[];
}
interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly payload: string;
}

const concurrency = 8;
// The package's main file is JSON, one entry per kind of event.
const kinds = createRequire(import.meta.url)("@octokit/webhooks-examples") as readonly Kind[];
const deliveries = kinds.flatMap(({ name, examples }) =>
  examples.map((example, index): Delivery => {
    return { id: `${name}-${index + 1}`, event: name, payload: JSON.stringify(example) };
  }),
);

await withPlatform(fileURLToPath(new URL("eventpulse.config.ts", import.meta.url)), async (platform) => {
  const queue = deliveries.values();
  const sender = async () => {
    for (const delivery of queue) await deliver(platform, delivery);
  };
  await Promise.all(Array.from({ length: concurrency }, sender));
  console.log(`Sent ${deliveries.length} deliveries of ${kinds.length} kinds, each durable before its answer.`);
  await platform.settled();
  await report(platform);
});

/** One webhook is one request: the payload as it is, what GitHub says in its own headers as CloudEvents attributes. */
async function deliver(platform: Platform, { id, event, payload }: Delivery): Promise<void> {
  const headers = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": id,
    "ce-source": "https://github.com",
    "ce-type": `com.github.${event}`,
  };
  await platform.request("POST", "/v1/streams/deliveries/events", headers, payload);
}

interface Row {
  readonly eventId: string;
  readonly data: { readonly event: string; readonly action: string | null; readonly sender: string };
}
interface Failure {
  readonly eventId: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

async function report(platform: Platform): Promise<void> {
  const eventOf = new Map(deliveries.map(({ id, event }) => [id, event]));
  const counts = new Map(kinds.map(({ name }) => [name, { stored: 0, quarantined: 0 }]));
  const count = (id: string, what: "stored" | "quarantined") => {
    const counted = counts.get(eventOf.get(id) ?? "");
    if (counted) counted[what]++;
  };
  for await (const { eventId } of platform.rows<Row>("/v1/streams/deliveries/records?limit=1000"))
    count(eventId, "stored");
  const failures = platform.rows<Failure>("/v1/failures?stream=deliveries&state=quarantined&limit=1000");
  const reasons = new Set<string>();
  for await (const { eventId, errors } of failures) {
    count(eventId, "quarantined");
    for (const { pointer, detail } of errors) reasons.add(`${eventOf.get(eventId)}: ${pointer} ${detail}`);
  }
  console.log(`\n${"event".padEnd(36)}${"stored".padStart(8)}${"quarantined".padStart(13)}`);
  const total = { stored: 0, quarantined: 0 };
  for (const [event, { stored, quarantined }] of counts) {
    console.log(`${event.padEnd(36)}${String(stored).padStart(8)}${String(quarantined || "").padStart(13)}`.trimEnd());
    total.stored += stored;
    total.quarantined += quarantined;
  }
  console.log(`${"all".padEnd(36)}${String(total.stored).padStart(8)}${String(total.quarantined).padStart(13)}`);
  for (const reason of reasons) console.log(`quarantined: ${reason}`);
  await ask(platform);
}

/** A query that finds some of them. */
async function ask(platform: Platform): Promise<void> {
  const path = "/v1/streams/deliveries/records?where[event][eq]=pull_request&where[action][eq]=opened";
  const rows: Row[] = [];
  for await (const row of platform.rows<Row>(path)) rows.push(row);
  console.log(`\nGET ${path}`);
  for (const { eventId, data } of rows.sort((a, b) => a.eventId.localeCompare(b.eventId))) {
    console.log(`${eventId}: ${data.event} ${data.action} by ${data.sender}`);
  }
}
