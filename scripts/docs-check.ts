import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseDocument } from "./docs/document.ts";
import { readAlong } from "./docs/reader.ts";
import { freePort } from "./free-port.ts";
import { projectRoot, workingCopy } from "./working-copy.ts";

/**
 * Follows every document to the letter: runs its commands in a fresh copy of the project and compares what they print with
 * what the document shows. `docs/document.ts` has the conventions. Arguments name single documents; without any, all.
 */
const named = process.argv.slice(2);
const documents =
  named.length > 0 ? named : globSync(["*.md", "docs/**/*.md", "examples/*/README.md"], { cwd: projectRoot }).sort();
process.env["EVENTPULSE_FIXTURES_DIR"] ??= resolve(projectRoot, "../shared/fixtures");

let failed = 0;
for (const document of documents) {
  const markdown = readFileSync(join(projectRoot, document), "utf8");
  const { parts, problems } = parseDocument(markdown);
  if (parts.length === 0 && problems.length === 0) continue;
  const copy = workingCopy();
  const startedAt = Date.now();
  try {
    const wrong = await readAlong(markdown, { folder: copy.folder, port: await freePort() });
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    console.log(`${wrong.length === 0 ? "ok  " : "FAIL"} ${document}: ${parts.length} blocks, ${seconds} s`);
    for (const problem of wrong) console.log(`${document} ${problem}`);
    if (wrong.length > 0) failed++;
  } finally {
    copy.close();
  }
}
process.exitCode = failed > 0 ? 1 : 0;
