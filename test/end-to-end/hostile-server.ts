import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HttpCalls, httpCalls } from "./running.ts";
import { serve } from "./serve-process.ts";

export interface HostileServer extends HttpCalls {
  readonly port: number;
  /** Notes a status that was seen elsewhere than in an answer to `request`. */
  saw(status: number): void;
  /**
   * The server has survived: it is ready, it has answered nothing with a 5xx, it has reported no error of its own, and its
   * memory has grown by no more than `growthMegabytesMax` since its start.
   */
  survived(growthMegabytesMax: number): Promise<void>;
  close(): Promise<void>;
}

/** A server in a process of its own, so that its memory is its own, which keeps count of what it answers. */
export async function startHostileServer(config: string, requestTimeoutSeconds?: number): Promise<HostileServer> {
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-hostile-"));
  const configFile = join(folder, "eventpulse.config.ts");
  await writeFile(configFile, config);
  const process = serve(configFile, join(folder, "data"), requestTimeoutSeconds);
  const url = await process.url;
  assert.ok(url !== null, process.stderr());
  const statuses = new Map<number, number>();
  const saw = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const calls = httpCalls(url);
  const residentMegabytes = async () => {
    const text = await (await calls.request("/metrics")).text();
    return Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]) / 2 ** 20;
  };
  const before = await residentMegabytes();
  return {
    ...calls,
    port: Number(new URL(url).port),
    saw,
    async request(path, init) {
      const response = await calls.request(path, init);
      saw(response.status);
      return response;
    },
    async survived(growthMegabytesMax) {
      await calls.settled(60);
      const ready = await calls.request("/health/ready");
      assert.equal(ready.status, 200, await ready.text());
      const bad = [...statuses].filter(([status]) => status >= 500);
      assert.deepEqual(bad, [], `answers by status: ${JSON.stringify([...statuses].sort())}; ${process.stderr()}`);
      assert.equal(process.stderr(), "", "errors of the server's own");
      const growth = (await residentMegabytes()) - before;
      assert.ok(growth < growthMegabytesMax, `grew by ${Math.round(growth)} MB from ${Math.round(before)} MB`);
    },
    async close() {
      process.end();
      await process.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
