import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { outputMatches, outputStarts, parseDocument } from "../../scripts/docs/document.ts";
import { readAlong } from "../../scripts/docs/reader.ts";
import { freePort } from "../../scripts/free-port.ts";

const fence = "```";
const block = (info: string, text: string) => `${fence}${info}\n${text}\n${fence}\n`;

describe("reading a document", () => {
  test("pairs commands with the output that follows, and skips samples and other languages", () => {
    const markdown = [
      block("sh", "one"),
      "prose\n",
      block("text", "1"),
      block("sh", "two"),
      block("ts", "const a = 1;"),
      block("json", "{}"),
      block("sh", "three"),
      block("json sample", "{}"),
      block("sh", "four"),
    ].join("");
    assert.deepEqual(parseDocument(markdown).parts, [
      { line: 1, commands: "one", expected: { kind: "text", text: "1" } },
      { line: 8, commands: "two", expected: null },
      { line: 17, commands: "three", expected: null },
      { line: 23, commands: "four", expected: null },
    ]);
  });

  test("refuses to leave out what can be run, and shells that it would not check", () => {
    assert.deepEqual(parseDocument(block("sh norun", "git clone x\ncd x\nnpm ci && npm test")).problems, []);
    const account =
      'STATE=$(terraform -chdir=infra output)\ncurl \\\n  "$EVENTPULSE_URL/v1/balance"\naws sts get-caller-identity';
    assert.deepEqual(parseDocument(block("sh norun", account)).problems, []);
    assert.match(parseDocument(block("sh norun", "npm ci\ncurl x")).problems.join(), /curl x.* can be run/);
    assert.match(parseDocument(block("bash", "ls")).problems.join(), /write ```sh/);
  });

  test("an ellipsis stands for part of a line in text, and for anything in JSON, whose layout does not count", () => {
    const text = (expected: string, actual: string) => outputMatches({ kind: "text", text: expected }, actual);
    const json = (expected: string, actual: string) => outputMatches({ kind: "json", text: expected }, actual);
    assert.ok(text("a … c", "a b c\n"));
    assert.ok(!text("a … c", "a b\nc\n"));
    assert.ok(text("a\n…\nd", "a\nb\nc\nd\n"));
    assert.ok(text("a\n…", "a\n"));
    assert.ok(!text("a", "a\nb\n"));
    assert.ok(!text("a.c", "abc\n"));
    assert.ok(json('{ "id": "evt_…",\n "n": … }', '{"id":"evt_12","n":[1,2]}\n'));
    assert.ok(!json('{ "id": "a b" }', '{"id":"ab"}'));
    assert.ok(!json('{ "n": 1 }', '{"n":2}'));
  });

  test("a server's output need only start as shown", () => {
    assert.ok(outputStarts({ kind: "text", text: "ready in … ms" }, "ready in 5 ms\nmore\n"));
    assert.ok(!outputStarts({ kind: "text", text: "ready in … ms" }, "starting\n"));
  });
});

describe("following a document", () => {
  const folder = mkdtempSync(join(tmpdir(), "eventpulse-test-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const follow = async (markdown: string) => readAlong(markdown, { folder, port: await freePort() });

  test("finds nothing wrong when every output is as shown; variables, folders and files last", async () => {
    const markdown = [
      block("json file=a.json", '{ "a": 1 }'),
      block("sh", "name=pulse; mkdir -p sub; cat a.json; cd sub"),
      block("json", '{"a":1}'),
      block("ts file=b.ts", "export {};"),
      block("sh", 'echo "$name in $(basename $PWD)"; ls'),
      block("text", "pulse in sub\nb.ts"),
    ].join("");
    assert.deepEqual(await follow(markdown), []);
  });

  test("stops at output that differs and at a command that fails, and shows both sides", async () => {
    const wrong = await follow(block("sh", "npm run --silent none || echo data-") + block("text", "date-"));
    assert.equal(wrong.length, 1);
    assert.match(wrong[0] ?? "", /line 1 [\s\S]*the document shows:\n {4}date-\n {2}it printed:[\s\S]*data-/);
    const failing = await follow(block("sh", "npm run --silent none") + block("sh", "touch reached"));
    assert.equal(failing.length, 1);
    assert.ok(!existsSync(join(folder, "reached")));
  });

  test("asks a question that only reads again until the answer is there", async () => {
    const commands = "(sleep 1; touch late) & ";
    const ask = block("sh", "test -e late && echo there") + block("text", "there");
    assert.deepEqual(await follow(block("sh", commands) + ask), []);
  });

  test("starts a server, waits until it is ready, reads 8080 as its free port, and ends it", async () => {
    const server = [
      'import { createServer } from "node:http";',
      'const server = createServer((_, answer) => answer.end("pong"));',
      'server.listen(8080, "127.0.0.1", () => console.log("listening on 8080", process.pid));',
    ].join("\n");
    const start = `node ${join(folder, "server.mjs")} # npm start`;
    const steps = [block("js file=server.mjs", server), block("sh", start), block("text", "listening on 8080 …")];
    const ask = block("sh", "curl http://127.0.0.1:8080/") + block("text", "pong");
    const port = await freePort();
    assert.deepEqual(await readAlong([...steps, ask].join(""), { folder, port }), []);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`), "the server is still there");
  });
});
