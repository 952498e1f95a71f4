import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ReceivedWebhook } from "./notifier.ts";

/** A loopback URL at which nothing listens. */
export async function freeUrl(): Promise<string> {
  const receiver = await startReceiver();
  await receiver.close();
  return `${receiver.url}/`;
}

/** Takes webhooks at /ok, answers any status at /status/N (redirects point to /ok), and never at /hangs. */
export async function startReceiver() {
  const received: ReceivedWebhook[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    if (request.url === "/hangs") return;
    const status = Number(/^\/status\/(\d+)/.exec(request.url ?? "")?.[1] ?? 200);
    if (request.url?.startsWith("/ok")) {
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
      received.push({ headers: Object.fromEntries(headers), body });
    }
    response.writeHead(status, status >= 300 && status < 400 ? { location: "/ok" } : {}).end("thanks");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
