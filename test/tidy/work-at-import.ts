import {
  isCallExpression,
  isClassDeclaration,
  isNewExpression,
  isPropertyDeclaration,
  isVariableStatement,
  type Node,
  type SourceFile,
  SyntaxKind,
} from "typescript/unstable/ast";

const declarations = new Set([
  SyntaxKind.ImportDeclaration,
  SyntaxKind.ExportDeclaration,
  SyntaxKind.ExportAssignment,
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.TypeAliasDeclaration,
  SyntaxKind.ModuleDeclaration,
  SyntaxKind.EmptyStatement,
]);

/** Code inside these runs later, when somebody calls it. */
const functions = new Set([
  SyntaxKind.ArrowFunction,
  SyntaxKind.FunctionExpression,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);

/**
 * Calls that only build a value in memory: constants made of them are declarations. Each is pure, or allocates and no more.
 * A schema (`z.`) and a route (`createRoute`) are descriptions too.
 */
const inert =
  /^(?:new (?:Map|Set|WeakMap|WeakSet|RegExp|URL|TextEncoder|TextDecoder|Intl\.\w+|\w*Array)|z\b[\s\S]*|createRoute|Object\.(?:freeze|keys|values|entries|fromEntries)|Buffer\.(?:from|alloc)|Number|String|Symbol(?:\.for)?|BigInt|Math\.(?!random)\w+|Array\.from|JSON\.stringify|promisify)$/;
/** Methods of a value in memory. */
const inertMethod =
  /\.(?:map|flatMap|filter|join|concat|slice|sort|toSorted|keys|values|entries|split|replace|replaceAll|repeat|reduce|trim|padStart|padEnd|toUpperCase|toLowerCase|at|toString|bind)$/;

export interface Work {
  readonly node: Node;
  readonly what: string;
}

/** The top-level code of a file that does more than declare: calls, loops, conditions, `await`. */
export function workAtImport(source: SourceFile): Work[] {
  return source.statements.flatMap((statement): Work[] => {
    if (declarations.has(statement.kind)) return [];
    if (isVariableStatement(statement)) {
      return statement.declarationList.declarations.flatMap((declaration) =>
        declaration.initializer ? workIn(declaration.initializer, source) : [],
      );
    }
    if (isClassDeclaration(statement)) return statement.members.flatMap((member) => classWork(member, source));
    return [{ node: statement, what: firstLine(statement, source) }];
  });
}

function classWork(member: Node, source: SourceFile): Work[] {
  if (member.kind === SyntaxKind.ClassStaticBlockDeclaration) return [{ node: member, what: "static { … }" }];
  const runsAtImport = isPropertyDeclaration(member) && /\bstatic\b/.test(member.getText(source).split("=")[0] ?? "");
  return runsAtImport && member.initializer ? workIn(member.initializer, source) : [];
}

function workIn(node: Node, source: SourceFile): Work[] {
  if (functions.has(node.kind)) return [];
  if (node.kind === SyntaxKind.AwaitExpression) return [{ node, what: firstLine(node, source) }];
  if (isCallExpression(node) || isNewExpression(node)) {
    const callee = `${isNewExpression(node) ? "new " : ""}${node.expression.getText(source)}`;
    const runsArguments = inertMethod.test(callee);
    if (!inert.test(callee) && !runsArguments) return [{ node, what: firstLine(node, source) }];
    const given = [...(node.arguments ?? [])].map((argument) => (runsArguments ? bodyOf(argument) : argument));
    return [node.expression, ...given].flatMap((part) => workIn(part, source));
  }
  const found: Work[] = [];
  node.forEachChild((child) => void found.push(...workIn(child, source)));
  return found;
}

/** What runs when the argument is called: a method such as `map` calls its argument at once. */
function bodyOf(argument: Node): Node {
  if (!functions.has(argument.kind)) return argument;
  const parts: Node[] = [];
  argument.forEachChild((child) => void parts.push(child));
  return parts.at(-1) ?? argument;
}

function firstLine(node: Node, source: SourceFile): string {
  return (node.getText(source).split("\n")[0] ?? "").slice(0, 80);
}
