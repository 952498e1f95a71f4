import type { Finding } from "./finding.ts";

interface TextRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly where: RegExp;
  readonly message: string;
}

const everywhere = /(?:)/;

// The patterns are written so that they do not find themselves.
const textRules: readonly TextRule[] = [
  {
    rule: "machine-path",
    pattern: /(?<![\w.~}/-])\/(?:work|root|tmp|home\/\w+|Users\/\w+)\//,
    where: everywhere,
    message: "is a path of one machine: make it relative to the project or use os.tmpdir()",
  },
  {
    rule: "registry",
    pattern: /"resolved"\s*:|^registry\s*=|_auth[T]oken/,
    where: /(?:^|\/)(?:package-lock\.json|\.npmrc)$/,
    message: "names the registry of one machine: run `npm install --omit-lockfile-registry-resolved`",
  },
  {
    rule: "unfinished",
    pattern: /\b(?:TO[D]O|FIX[M]E|XX[X])\b/,
    where: /\.(?:ts|js|tsx|sh|tf|ya?ml|md)$/,
    message: "leaves work behind: finish it, or say in the docs what is not there",
  },
  {
    rule: "ignored-type",
    pattern: /@ts-(?:ignore|nocheck)/,
    where: /^(?!test\/tidy).*\.tsx?$/,
    message: "hides an error of the compiler: mend the type, or use @ts-expect-error in a type test",
  },
  {
    rule: "zod-import",
    pattern: /^import \{[^}]*\bz\b[^}]*\} from "zod"/,
    where: /^src\//,
    message:
      'brings all of zod, 210 kB more in a bundle: write `import * as z from "zod"`, of which bundlers keep what is used',
  },
];

/** What no file of the project may say, whatever its language. */
export function textFindings(files: ReadonlyMap<string, string>): Finding[] {
  const findings: Finding[] = [];
  for (const [path, text] of files) {
    for (const { rule, pattern, where, message } of textRules) {
      if (!where.test(path)) continue;
      for (const [index, line] of text.split("\n").entries()) {
        const found = pattern.exec(line)?.[0];
        if (found !== undefined) findings.push({ rule, path, line: index + 1, message: `"${found}" ${message}` });
      }
    }
  }
  return findings;
}
