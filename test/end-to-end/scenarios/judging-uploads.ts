import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { expectProblem, type Platform, type Running } from "../running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string(), total: z.number() });
const [answered, again, refused] = [0, 1, 2].map(() => stream({ schema, key: "id" }));
export default defineConfig({ name: "judging-uploads", streams: { answered, again, refused } });
`;

interface Link {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where the link leads to a door of our own, which reads a file before it answers. */
export function judgingUploadsScenarios(platform: Platform): void {
  describe("judging a file while it is uploaded", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    const ask = async (stream: string, contentType: string, body: string, sha256?: string): Promise<Link> => {
      const bytes = Buffer.byteLength(body);
      const response = await running.request("/v1/uploads", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ stream, fileName: "a.txt", contentType, bytes, ...(sha256 && { sha256 }) }),
      });
      assert.equal(response.status, 201);
      return (await response.json()) as Link;
    };
    const put = (link: Link, body: string, headers: Record<string, string> = {}) =>
      fetch(link.url, { method: link.method, headers: { ...link.headers, ...headers }, body });

    test("the answer says how many events came, and the checksum of what came", async () => {
      const body = '{"id":"a","total":1}\n{"id":"b"}\n';
      const response = await put(await ask("answered", "application/x-ndjson", body, hash("sha256", body)), body);
      const answer = (await response.json()) as { events: number; sha256: string };
      assert.deepEqual([response.status, answer.events, answer.sha256], [200, 2, hash("sha256", body)]);
    });

    test("the same file with the same link is taken as done, another file is refused", async () => {
      const body = '{"id":"a","total":1}\n';
      const link = await ask("again", "application/x-ndjson", body);
      for (let time = 0; time < 2; time++) assert.equal((await put(link, body)).status, 200);
      await expectProblem(await put(link, body.replace("1", "2")), 409, "STATE_CONFLICT");
      await running.settled();
      const { accepted, stored } = await running.balance("again");
      assert.deepEqual([accepted, stored], [1, 1]);
    });

    test("what does not fit the link is refused and kept nowhere", async () => {
      const body = JSON.stringify({ id: "a", total: 1 });
      const fitting = (sha256?: string) => ask("refused", "application/json", body, sha256);
      await expectProblem(
        await put(await fitting(), body, { "content-type": "text/csv" }),
        415,
        "CONTENT_TYPE_UNSUPPORTED",
      );
      await expectProblem(await put(await fitting(), `${body} `), 413, "BODY_TOO_LARGE");
      await expectProblem(await put(await fitting(), body.slice(1)), 422, "BODY_INVALID");
      await expectProblem(await put(await fitting(hash("sha256", "another")), body), 422, "BODY_INVALID");
      await expectProblem(
        await put(await ask("refused", "application/json", "not JSON"), "not JSON"),
        400,
        "JSON_INVALID",
      );
      await expectProblem(await put(await ask("refused", "text/csv", 'id\n"'), 'id\n"'), 400, "CSV_INVALID");
      await running.settled();
      assert.deepEqual(await running.list("/v1/streams/refused/records"), []);
      assert.equal((await running.balance("refused")).accepted, 0);
    });

    test("a link that was changed in any part does nothing", async () => {
      const body = JSON.stringify({ id: "a", total: 1 });
      const link = await ask("refused", "application/json", body);
      const forge = (change: (url: URL) => void): Link => {
        const url = new URL(link.url);
        change(url);
        return { ...link, url: url.href };
      };
      const names = [...new URL(link.url).searchParams.keys()];
      assert.ok(names.length >= 4, names.join());
      for (const name of names) {
        const changed = forge(({ searchParams }) => searchParams.set(name, `${searchParams.get(name)}0`));
        await expectProblem(await put(changed, body), 403, "LINK_INVALID");
        await expectProblem(
          await put(
            forge(({ searchParams }) => searchParams.delete(name)),
            body,
          ),
          403,
          "LINK_INVALID",
        );
      }
      const other = await ask("refused", "application/json", body);
      const exchanged = forge((url) => {
        url.pathname = new URL(other.url).pathname;
      });
      await expectProblem(await put(exchanged, body), 403, "LINK_INVALID");
      assert.equal((await running.get<{ state: string }>(`/v1/uploads/${link.id}`)).state, "waiting");
    });
  });
}
