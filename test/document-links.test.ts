import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";
import { projectFiles, projectRoot } from "./tidy/project-files.ts";

/** Relative links of Markdown documents that lead nowhere, as `document: target`. */
function brokenLinks(documents: ReadonlyMap<string, string>, exists: (path: string) => boolean): string[] {
  const broken: string[] = [];
  for (const [path, text] of documents) {
    for (const [, target = ""] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(?:https?|mailto):/.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      const full = file === "" ? path : posix.normalize(posix.join(posix.dirname(path), file));
      const heads = anchor === undefined ? null : anchors(documents.get(full) ?? "");
      if (!exists(full) || heads?.has(anchor ?? "") === false) broken.push(`${path}: ${target}`);
    }
  }
  return broken;
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(markdown: string): Set<string> {
  const headings = withoutCode(markdown).matchAll(/^#+ (.+)$/gm);
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-");
  return new Set([...headings].map(([, heading = ""]) => slug(heading)));
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, "");
}

test("every link in the documents leads to a file, and to a heading that is there", () => {
  const documents = new Map([...projectFiles()].filter(([path]) => path.endsWith(".md")));
  assert.deepEqual(
    brokenLinks(documents, (path) => existsSync(posix.join(projectRoot, path))),
    [],
  );
});

test("a link to a missing file or heading is found, and one inside code is no link", () => {
  const documents = new Map([
    ["docs/a.md", "# One, two\n[a](b.md) [b](#one-two) [c](#three) [d](none.md) [e](b.md#x)\n```\n[f](g.md)\n```\n"],
    ["docs/b.md", "## Heading"],
  ]);
  const found = brokenLinks(documents, (path) => documents.has(path));
  assert.deepEqual(found, ["docs/a.md: #three", "docs/a.md: none.md", "docs/a.md: b.md#x"]);
});
