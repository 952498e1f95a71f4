import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
  eventually,
  expectProblem,
  type FailureRow,
  type NotificationRow,
  type Platform,
  type RecordRow,
  type Running,
} from "../running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string(), total: z.number(), paid: z.boolean().optional() });
const names = ["json", "lines", "table", "told", "again"] as const;
const streams = Object.fromEntries(names.map((name) => [name, stream({ schema, key: "id" })]));
export default defineConfig({ name: "uploading", streams });
`;

interface Link {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}
interface UploadRow {
  readonly state: string;
  readonly result: Readonly<Record<string, number>> | null;
  readonly failures: string | null;
  readonly notice: string | null;
}

export function uploadingScenarios(platform: Platform): void {
  describe("uploading", { concurrency: false }, () => {
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
        body: JSON.stringify({ stream, fileName: "März.csv", contentType, bytes, ...(sha256 && { sha256 }) }),
      });
      assert.equal(response.status, 201);
      return (await response.json()) as Link;
    };
    // The link alone is enough: no key is sent.
    const put = (link: Link, body: string) => fetch(link.url, { method: link.method, headers: link.headers, body });
    const processed = (link: Link) =>
      eventually(async () => {
        const upload = await running.get<UploadRow>(`/v1/uploads/${link.id}`);
        assert.equal(upload.state, "processed");
        return upload;
      });

    const files = {
      json: [
        "application/json",
        JSON.stringify([
          { id: "a", total: 1.5, paid: true },
          { id: "b", total: "no" },
          { id: "c", total: 3 },
        ]),
      ],
      lines: [
        "application/x-ndjson",
        '{"id":"a","total":1.5,"paid":true}\n{"id":"b","total":"no"}\n\n{"id":"c","total":3}\n',
      ],
      table: ["text/csv", 'id,total,paid\r\na,1.5,true\r\n"b",no,\r\nc,3,\r\n'],
    } as const;
    for (const [stream, [contentType, body]] of Object.entries(files)) {
      test(`a file of ${contentType} becomes records and failures, and its state says how many`, async () => {
        const link = await ask(stream, contentType, body, hash("sha256", body));
        assert.equal((await running.get<UploadRow>(`/v1/uploads/${link.id}`)).state, "waiting");
        assert.equal((await put(link, body)).status, 200);
        const { result, failures } = await processed(link);
        assert.deepEqual([result?.["stored"], result?.["quarantined"]], [2, 1]);
        const records = await running.list<RecordRow>(`/v1/streams/${stream}/records`);
        const data = records
          .map((record) => record.data)
          .sort((a, b) => String(a["id"]).localeCompare(String(b["id"])));
        assert.deepEqual(data, [
          { id: "a", total: 1.5, paid: true },
          { id: "c", total: 3 },
        ]);
        const listed = await running.list<FailureRow>(failures ?? "");
        assert.deepEqual(
          listed.map(({ code, errors }) => [code, errors[0]?.pointer]),
          [["CONTRACT_BROKEN", "/total"]],
        );
        assert.deepEqual((await running.balance(stream)).accepted, 3);
      });
    }

    test("its uploader is told once which rows could not be taken and why, without any of their values", async () => {
      const rows = Array.from({ length: 118 }, (_, row) => `o-${row},${row === 40 || row === 70 ? "secret" : row}`);
      const body = ["id,total", ...rows, "o-118,", "o-0,1", ""].join("\r\n");
      const link = await ask("told", "text/csv", body);
      assert.equal((await running.get<UploadRow>(`/v1/uploads/${link.id}`)).notice, null);
      assert.equal((await put(link, body)).status, 200);
      const { result, notice } = await processed(link);
      assert.deepEqual([result?.["stored"], result?.["quarantined"]], [116, 4]);
      assert.match(
        notice ?? "",
        /^März\.csv: 3 of 120 rows could not be taken\.\n\n- "total" must be a number: rows 42 and 72/,
      );
      assert.match(notice ?? "", /\n- "total" is missing: row 120\n/);
      assert.match(notice ?? "", /\n1 more could not be taken: their id is there already with other values/);
      assert.doesNotMatch(notice ?? "", /secret|o-40/);
      const told = (await running.list<NotificationRow & { text: string }>("/v1/notifications")).filter(
        ({ topic, stream }) => topic === "upload" && stream === "told",
      );
      assert.deepEqual(
        told.map(({ subject }) => subject),
        ["März.csv: 3 of 120 rows could not be taken"],
      );
      assert.ok(notice?.startsWith(told[0]?.text ?? "?"));
    });

    test("the same file sent twice with its link is there once", async () => {
      const body = '{"id":"a","total":1}\n';
      const link = await ask("again", "application/x-ndjson", body);
      assert.equal((await put(link, body)).status, 200);
      // Whether it is answered as done already or refused, the platform decides.
      await put(link, body);
      await processed(link);
      await running.settled();
      const { accepted, stored } = await running.balance("again");
      assert.deepEqual([accepted, stored], [1, 1]);
    });

    test("an upload that nobody asked for is not known", async () => {
      await expectProblem(
        await running.request("/v1/uploads/upl_20260131_json_5f0c2b9e1a7d4c3890ab12cd"),
        404,
        "UPLOAD_UNKNOWN",
      );
      await expectProblem(await running.request("/v1/uploads/..%2F..%2Fsecrets.json"), 404, "UPLOAD_UNKNOWN");
    });
  });
}
