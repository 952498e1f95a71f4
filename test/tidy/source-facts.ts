import {
  isCallExpression,
  isIdentifier,
  isImportTypeNode,
  isNamedExports,
  isNewExpression,
  isPropertyAccessExpression,
  isStringLiteral,
  isVariableStatement,
  type Node,
  type SourceFile,
  SyntaxKind,
} from "typescript/unstable/ast";
import { createVirtualFileSystem } from "typescript/unstable/fs";
import { API } from "typescript/unstable/sync";
import { workAtImport } from "./work-at-import.ts";

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** `type`: erased before it runs. `dynamic`: `import()`, which runs only when it is reached. */
  readonly kind: "static" | "type" | "dynamic";
}

export interface Call {
  /** The callee as written: `console.log`, `new Date`. */
  readonly name: string;
  readonly line: number;
  readonly argumentCount: number;
  /** For each property of an object literal among the arguments: its name and its value as written. */
  readonly options: readonly { readonly name: string; readonly value: string }[];
}

/** What the rules need to know of one TypeScript file, as the compiler's own parser sees it: comments and strings cannot fool them. */
export interface SourceFacts {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Names that this file declares or passes on. */
  readonly exports: readonly string[];
  readonly calls: readonly Call[];
  /** Every string literal of the code, not of its types. */
  readonly strings: ReadonlySet<string>;
  /** Top-level code that does more than declare. */
  readonly work: readonly { readonly line: number; readonly what: string }[];
}

/** Parses files, given as path and text. Throws when one is not TypeScript at all. */
export function readFacts(files: ReadonlyMap<string, string>): SourceFacts[] {
  const paths = [...files.keys()];
  const config = { compilerOptions: { noLib: true, noResolve: true, types: [] }, files: paths };
  const virtual: Record<string, string> = { "/project/tsconfig.json": JSON.stringify(config) };
  for (const [path, text] of files) virtual[`/project/${path}`] = text;
  const api = new API({ cwd: "/project", fs: createVirtualFileSystem(virtual) });
  const snapshot = api.updateSnapshot({ openProjects: ["/project/tsconfig.json"] });
  try {
    const project = snapshot.getProjects()[0];
    return paths.map((path) => {
      const source = project?.program.getSourceFile(`/project/${path}`);
      const problem = project?.program.getSyntacticDiagnostics(`/project/${path}`)[0];
      if (!source || problem) throw new Error(`${path} does not parse: ${problem?.text ?? "not in the program"}`);
      return factsOf(path, source);
    });
  } finally {
    snapshot.dispose();
    api.close();
  }
}

function factsOf(path: string, source: SourceFile): SourceFacts {
  const lineOf = (node: Node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  const calls: Call[] = [];
  const strings = new Set<string>();
  const visit = (node: Node): void => {
    if (isStringLiteral(node) && node.parent.kind !== SyntaxKind.LiteralType) strings.add(node.text);
    if (isCallExpression(node) || isNewExpression(node)) {
      const name = `${isNewExpression(node) ? "new " : ""}${calleeText(node.expression, source)}`;
      const given = node.arguments ?? [];
      calls.push({ name, line: lineOf(node), argumentCount: given.length, options: optionsOf(given, source) });
    }
    node.forEachChild(visit);
  };
  visit(source);
  return {
    path,
    text: source.text,
    lines: source.text.trimEnd().split("\n").length,
    imports: source.imports.map((node) => ({
      specifier: isStringLiteral(node) ? node.text : node.getText(source),
      line: lineOf(node),
      kind: importKind(node, source),
    })),
    exports: source.statements.flatMap((statement) => exportedNames(statement, source)),
    calls,
    strings,
    work: workAtImport(source).map(({ node, what }) => ({ line: lineOf(node), what })),
  };
}

function importKind(specifier: Node, source: SourceFile): Import["kind"] {
  const parent = specifier.parent;
  if (isCallExpression(parent)) return "dynamic";
  if (isImportTypeNode(parent) || isImportTypeNode(parent.parent)) return "type";
  return /^(?:import|export)\s+type\b/.test(parent.getText(source)) ? "type" : "static";
}

function calleeText(callee: Node, source: SourceFile): string {
  if (isPropertyAccessExpression(callee)) return `${calleeText(callee.expression, source)}.${callee.name.text}`;
  return isIdentifier(callee) ? callee.text : callee.getText(source).replace(/\s+/g, " ").slice(0, 80);
}

function optionsOf(given: readonly Node[], source: SourceFile): Call["options"] {
  const options: { name: string; value: string }[] = [];
  for (const argument of given) {
    if (argument.kind !== SyntaxKind.ObjectLiteralExpression) continue;
    argument.forEachChild((property) => {
      const [name, value] = /^([\w"']+)\s*:?\s*([\s\S]*)$/.exec(property.getText(source))?.slice(1) ?? [];
      if (name !== undefined) options.push({ name, value: value ?? "" });
    });
  }
  return options;
}

function exportedNames(statement: Node, source: SourceFile): string[] {
  if (statement.kind === SyntaxKind.ExportDeclaration) {
    const names: string[] = [];
    statement.forEachChild((child) => {
      if (isNamedExports(child)) for (const element of child.elements) names.push(element.name.getText(source));
    });
    return names;
  }
  if (!/^(?:export)\b/.test(statement.getText(source))) return [];
  const declared = isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
  return declared.map((node) => declaredName(node));
}

function declaredName(declaration: Node): string {
  let name = "default";
  declaration.forEachChild((child) => {
    if (name === "default" && isIdentifier(child)) name = child.text;
  });
  return name;
}
