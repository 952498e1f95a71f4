import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import packageManifest from "../package.json" with { type: "json" };
import { callFindings, skipFindings, workFindings } from "./tidy/code-rules.ts";
import { type Finding, formatFinding, withoutAllowed } from "./tidy/finding.ts";
import {
  exportNameFindings,
  fileLinesMax,
  lengthFindings,
  nameFindings,
  sameNameFindings,
} from "./tidy/house-rules.ts";
import { cycleFindings, dependencyFindings, layerFindings } from "./tidy/import-rules.ts";
import { projectFiles } from "./tidy/project-files.ts";
import { readFacts, type SourceFacts } from "./tidy/source-facts.ts";
import { textFindings } from "./tidy/text-rules.ts";

describe("the project keeps its own rules", () => {
  let files: Map<string, string>;
  let facts: SourceFacts[];
  const clean = (findings: readonly Finding[]) => {
    const rules = new Set(findings.map(({ rule }) => rule));
    assert.equal(findings.map(formatFinding).join("\n"), "", `broken: ${[...rules].join(", ")}`);
  };

  before(() => {
    files = projectFiles();
    facts = readFacts(new Map([...files].filter(([path]) => path.endsWith(".ts"))));
  });

  test("every import follows the table of docs/ARCHITECTURE.md, also as a type and also dynamic", () => {
    clean(layerFindings(facts));
  });
  test("no imports go in a circle", () => {
    clean(cycleFindings(facts.filter(({ path }) => path.startsWith("src/"))));
  });
  test("packages that src imports are dependencies, and all dependencies are imported", () => {
    clean(dependencyFindings(facts, packageManifest));
  });
  test("a port has one name in ports, in every platform and in the contract suites, which every platform runs", () => {
    clean(sameNameFindings(facts));
  });
  test("files and folders have names that say something", () => {
    clean(nameFindings([...files.keys()]));
    clean(exportNameFindings(facts));
  });
  test("files fit the limit of length", (t) => {
    const lengths = facts.map(({ lines }) => lines).sort((a, b) => a - b);
    t.diagnostic(`${lengths.length} files, median ${lengths[lengths.length >> 1]} lines, longest ${lengths.at(-1)}`);
    clean(lengthFindings(facts));
  });
  test("clocks, randomness, console and exits stay where they belong, and imports do no work", () => {
    clean(withoutAllowed([...callFindings(facts), ...workFindings(facts)], facts));
  });
  test("every test runs", () => {
    clean(skipFindings(facts));
  });
  test("no file names a machine, a registry or unfinished work", () => {
    clean(textFindings(files));
  });
});

type Rule = (files: readonly SourceFacts[]) => Finding[];

/** The rules that `files` break, given as path and text. */
function broken(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  return rule(readFacts(new Map(Object.entries(files)))).map(({ path, line }) => `${path}:${line}`);
}

describe("the rules find what breaks them", () => {
  const imports = (path: string, text: string) => broken(layerFindings, { [path]: text });

  test("an import against the table is found as static, type, dynamic, re-export and type query", () => {
    const bad = "../../platforms/embedded/object-store.ts";
    const path = "src/pipeline/store/outcome.ts";
    assert.deepEqual(imports(path, `\nimport { a } from "${bad}";`), [`${path}:2`]);
    assert.deepEqual(imports(path, `import type { A } from "${bad}";`), [`${path}:1`]);
    assert.deepEqual(imports(path, `export const a = () => import("${bad}");`), [`${path}:1`]);
    assert.deepEqual(imports(path, `export { a } from "${bad}";`), [`${path}:1`]);
    assert.deepEqual(imports(path, `export type A = import("${bad}").A;`), [`${path}:1`]);
    assert.deepEqual(imports(path, `// import { a } from "${bad}";\nexport const a = 'import "${bad}"';`), []);
  });

  test("each room refuses what it may not have and takes what it may", () => {
    const refused: [string, string][] = [
      ["src/model/event.ts", "../ports/mailer.ts"],
      ["src/model/event.ts", "node:fs"],
      ["src/ports/mailer.ts", "zod"],
      ["src/pipeline/process/run.ts", "node:fs"],
      ["src/pipeline/process/run.ts", "fs"],
      ["src/pipeline/process/run.ts", "hono"],
      ["src/http/app.ts", "@hono/node-server"],
      ["src/http/app.ts", "../platforms/embedded/main.ts"],
      ["src/platforms/embedded/mailer.ts", "../aws/mailer.ts"],
      ["src/platforms/embedded/mailer.ts", "./main.ts"],
      ["src/platforms/embedded/mailer.ts", "../../pipeline/store/outcome.ts"],
      ["src/platforms/embedded/main.ts", "../aws/mailer.ts"],
      ["src/platforms/embedded/main.ts", "../../cli/main.ts"],
      ["src/cli/send.ts", "../platforms/embedded/main.ts"],
      ["src/cli/send.ts", "../../test/fixtures.ts"],
      ["src/other/send.ts", "zod"],
    ];
    for (const [path, specifier] of refused) {
      assert.equal(imports(path, `import { a } from "${specifier}";`).length, 1, `${path} imports ${specifier}`);
    }
    const taken: [string, string][] = [
      ["src/pipeline/process/run.ts", "node:crypto"],
      ["src/http/app.ts", "hono/cors"],
      ["src/platforms/embedded/mailer.ts", "./spool.ts"],
      ["src/platforms/embedded/main.ts", "../../http/app.ts"],
      ["src/platforms/embedded/process-thread.ts", "../../pipeline/process/run.ts"],
      ["src/platforms/aws/handlers/process.ts", "../object-store.ts"],
    ];
    for (const [path, specifier] of taken) {
      assert.deepEqual(imports(path, `import { a } from "${specifier}";`), [], `${path} imports ${specifier}`);
    }
    assert.deepEqual(imports("src/cli/dev.ts", `const a = () => import("../platforms/embedded/main.ts");`), []);
  });

  test("circles, also through types, are found once; lazy imports break them", () => {
    const circle = { "src/model/a.ts": `import "./b.ts";`, "src/model/b.ts": `import type { A } from "./a.ts";` };
    assert.equal(broken(cycleFindings, circle).length, 1);
    assert.deepEqual(broken(cycleFindings, { ...circle, "src/model/b.ts": `export const a = import("./a.ts");` }), []);
  });

  test("a package that users would lack is found, and one that nothing needs", () => {
    const facts = readFacts(new Map([["src/model/a.ts", `import { z } from "zod";\nimport "left-pad/x";`]]));
    const found = dependencyFindings(facts, { dependencies: { zod: "4", hono: "4" } }).map(({ message }) => message);
    assert.equal(found.length, 2);
    assert.match(found[0] ?? "", /left-pad is not in the dependencies/);
    assert.match(found[1] ?? "", /nothing in src\/ imports hono/);
  });

  test("a port without suite, without adapter or with a suite that nobody runs is found", () => {
    const whole = {
      "src/ports/mailer.ts": "",
      "src/platforms/embedded/main.ts": "",
      "src/platforms/embedded/mailer.ts": "",
      "src/platforms/aws/main.ts": "",
      "src/platforms/aws/mailer.ts": "",
      "test/contracts/mailer.ts": "export function mailerContract() {}",
      "test/platforms/embedded/mailer.test.ts": `import "../../contracts/mailer.ts";`,
      "test/platforms/aws/mailer.aws.ts": `import "../../contracts/mailer.ts";`,
    };
    assert.deepEqual(broken(sameNameFindings, whole), []);
    for (const path of Object.keys(whole).filter((path) => !path.endsWith("main.ts"))) {
      const rest = Object.fromEntries(Object.entries(whole).filter(([other]) => other !== path));
      assert.equal(broken(sameNameFindings, rest).length, 1, `without ${path}`);
    }
    assert.equal(broken(sameNameFindings, { ...whole, "src/platforms/third/main.ts": "" }).length, 2);
  });

  test("empty names and files that are not named after an export are found", () => {
    const paths = ["src/model/utils.ts", "src/lib/a.ts", "test/send-helpers.ts", "src/model/library.ts"];
    assert.deepEqual(
      nameFindings(paths).map(({ path }) => path),
      paths.slice(0, 3),
    );
    assert.deepEqual(broken(exportNameFindings, { "src/ports/mailer.ts": "export interface Sender {}" }), [
      "src/ports/mailer.ts:0",
    ]);
    for (const text of [
      "export interface ObjectStore {}",
      "export function fileObjectStore() {}",
      "const objectStore = 1; export { objectStore };",
    ]) {
      assert.deepEqual(broken(exportNameFindings, { "src/ports/object-store.ts": text }), []);
    }
  });

  test("a file one line too long is found", () => {
    assert.deepEqual(broken(lengthFindings, { "src/model/a.ts": "//\n".repeat(fileLinesMax) }), []);
    assert.deepEqual(broken(lengthFindings, { "src/model/a.ts": "//\n".repeat(fileLinesMax + 1) }), [
      "src/model/a.ts:0",
    ]);
  });

  test("banned calls are found where they are banned, and in no string or comment", () => {
    const path = "src/pipeline/process/run.ts";
    for (const call of [
      "console.log(1)",
      "process.exit(1)",
      "Math.random()",
      "Date.now()",
      "new Date()",
      "performance.now()",
    ]) {
      assert.deepEqual(broken(callFindings, { [path]: `export const a = () => ${call};` }), [`${path}:1`], call);
      assert.deepEqual(broken(callFindings, { [path]: `export const a = "${call}"; // ${call}` }), []);
    }
    assert.deepEqual(broken(callFindings, { [path]: "export const a = (time: number) => new Date(time);" }), []);
    assert.deepEqual(broken(callFindings, { "src/cli/main.ts": "console.log(1); process.exit(Date.now());" }), []);
  });

  test("work at import is found; declarations and constants are not work", () => {
    const path = "src/platforms/embedded/mailer.ts";
    const work = [
      "connect();",
      "const a = connect();",
      "export const a = await load();",
      `const a = readFileSync("x");`,
      "if (process.env.X) {}",
      "for (const a of [1]) {}",
      "class A { static a = connect(); }",
      "class A { static { connect(); } }",
      "const a = [1].map((x) => connect(x));",
      "const a = { b: [connect()] };",
    ];
    for (const text of work) assert.deepEqual(broken(workFindings, { [path]: text }), [`${path}:1`], text);
    const declared = [
      `import { a } from "./a.ts"; export * from "./b.ts"; export type B = string;`,
      "const a = () => connect(); function b() { connect(); } export default class C { d = connect(); }",
      "const a = new Map([[1, { b: 2 }]]); const c = /x/u; const d = `a` + 60 * 1000; const e = -1 as const;",
      "const a = z.object({ b: z.string().refine((x) => connect(x)) }); const c = Object.freeze([1, 2].map((x) => x * 2));",
    ];
    for (const text of declared) assert.deepEqual(broken(workFindings, { [path]: text }), [], text);
    assert.deepEqual(broken(workFindings, { "src/platforms/embedded/process-thread.ts": "connect();" }), []);
  });

  test("tests that do not run are found, and missing fixtures may skip only through fixtureMissing", () => {
    const path = "test/model/a.test.ts";
    for (const call of ["test.skip", "describe.only", "it.todo", "t.skip"]) {
      assert.deepEqual(broken(skipFindings, { [path]: `${call}("a", () => {});` }), [`${path}:1`], call);
    }
    for (const option of ["skip: true", "only: true", "todo: 'later'", "skip: isWindows"]) {
      assert.deepEqual(broken(skipFindings, { [path]: `test("a", { ${option} }, () => {});` }), [`${path}:1`], option);
    }
    assert.deepEqual(broken(skipFindings, { [path]: `test("a", { skip: fixtureMissing("x") }, () => {});` }), []);
    const constant = `const skip = fixtureMissing("x"); test("a", { skip }, () => {});`;
    assert.deepEqual(broken(skipFindings, { [path]: constant }), []);
    assert.deepEqual(broken(skipFindings, { [path]: constant.replace("fixtureMissing", "always") }), [`${path}:1`]);
  });

  test("machine paths, registries and unfinished work are found in any file", () => {
    const found = (path: string, text: string) => textFindings(new Map([[path, text]])).map(({ rule }) => rule);
    for (const parts of [
      ["", "work", "a"],
      ["", "root", "a"],
      ["", "tmp", "a"],
      ["", "home", "ann", "a"],
    ]) {
      assert.deepEqual(found("docs/a.md", `see ${parts.join("/")}`), ["machine-path"]);
    }
    assert.deepEqual(found("docs/a.md", "https://example.com/work/a ./tmp/b ../root/c"), []);
    assert.deepEqual(found("package-lock.json", `{ "resolved": "https://example.com/a.tgz" }`), ["registry"]);
    assert.deepEqual(found("src/a.ts", ["// TO", "DO"].join("")), ["unfinished"]);
    assert.deepEqual(found("src/a.ts", ["// @ts", "ignore"].join("-")), ["ignored-type"]);
    assert.deepEqual(found("src/a.ts", `import { z } from "zod";`), ["zod-import"]);
    assert.deepEqual(found("src/a.ts", `import * as z from "zod";\nimport type { z } from "zod";`), []);
  });

  test("an exception is taken with its reason, next to what it allows, and reported when it allows nothing", () => {
    const path = "src/pipeline/process/run.ts";
    const comment = `// ${"tidy"} allows random: jitter need not repeat`;
    const left = (text: string) => {
      const facts = readFacts(new Map([[path, text]]));
      return withoutAllowed(callFindings(facts), facts).map(({ rule }) => rule);
    };
    assert.deepEqual(left(`${comment}\nexport const a = () => Math.random();`), []);
    assert.deepEqual(left(`export const a = () => Math.random(); ${comment}`), []);
    assert.deepEqual(left(`${comment}\n\nexport const a = () => Math.random();`), ["random", "stale-exception"]);
    assert.deepEqual(left(`// ${"tidy"} allows random:\nexport const a = () => Math.random();`), ["random"]);
  });
});
