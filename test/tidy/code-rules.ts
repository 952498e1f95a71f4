import type { Finding } from "./finding.ts";
import type { Call, SourceFacts } from "./source-facts.ts";

interface Ban {
  readonly rule: string;
  readonly call: RegExp;
  readonly where: RegExp;
  readonly message: string;
}

const core = /^src\/(?:model|ports|pipeline|http)\//;

const bans: readonly Ban[] = [
  {
    rule: "console",
    call: /^console\.\w+$/,
    where: /^src\/(?!cli\/)/,
    message: "writes to the console: return a value, throw an EventPulseError or log with the logger that is passed in",
  },
  {
    rule: "exit",
    call: /^process\.(?:exit|abort)$/,
    where: /^src\/(?!cli\/)/,
    message: "ends the process, and what is in flight with it: throw, and let src/cli decide",
  },
  {
    rule: "random",
    call: /^Math\.random$/,
    where: core,
    message: "a run could not be repeated: take the randomness as a parameter (seeded, or `random: () => number`)",
  },
  {
    rule: "clock",
    call: /^(?:Date\.now|performance\.now|Date|process\.hrtime(?:\.bigint)?)$/,
    where: /^src\/(?:model|pipeline)\//,
    message: "reads the clock, so the same event would not give the same outcome: take the time as a parameter",
  },
  {
    rule: "timer",
    call: /^(?:setTimeout|setInterval)$/,
    where: /^src\/(?:model|ports)\//,
    message: "types and parsers do not wait: do this in the pipeline or on the platform",
  },
];

/** Calls that would make the code untestable or the process unstoppable. */
export function callFindings(files: readonly SourceFacts[]): Finding[] {
  return files.flatMap((file) =>
    file.calls.flatMap((call) => {
      const found = bans.filter((ban) => ban.where.test(file.path) && ban.call.test(call.name));
      const clock =
        call.name === "new Date" && call.argumentCount === 0 && /^src\/(?:model|pipeline)\//.test(file.path);
      const hits = clock ? [...found, ...bans.filter(({ rule }) => rule === "clock")] : found;
      return hits.map(({ rule, message }) => {
        return { rule, path: file.path, line: call.line, message: `${call.name} ${message}` };
      });
    }),
  );
}

/** Entry points whose work is to run. */
const runsAtImport = /^src\/platforms\/[^/]+\/(?:[^/]+-thread\.ts$|handlers\/)/;

/** Importing a stage or an adapter does nothing but declare: no open file, no timer, no read of the environment by surprise. */
export function workFindings(files: readonly SourceFacts[]): Finding[] {
  return files
    .filter(({ path }) => /^src\/(?:model|ports|pipeline|platforms)\//.test(path) && !runsAtImport.test(path))
    .flatMap(({ path, work }) =>
      work.map(({ line, what }) => {
        const message = `\`${what}\` runs when the file is imported: move it into a function or the factory`;
        return { rule: "import-work", path, line, message };
      }),
    );
}

const suiteCalls = /^(?:test|it|describe|suite|t)$/;

/** A test that does not run proves nothing. The one way to skip is `fixtureMissing()`, which never skips where fixtures are required. */
export function skipFindings(files: readonly SourceFacts[]): Finding[] {
  return files
    .filter(({ path }) => path.startsWith("test/"))
    .flatMap((file) =>
      file.calls.flatMap((call) => {
        const how = howSkipped(call, file.text);
        if (how === null) return [];
        const message = `${how}: run the test or delete it; for missing fixtures use \`skip: fixtureMissing(path)\``;
        return [{ rule: "skip", path: file.path, line: call.line, message }];
      }),
    );
}

function howSkipped(call: Call, text: string): string | null {
  if (/^(?:test|it|describe|suite|t|context)\.(?:skip|only|todo)$/.test(call.name)) return call.name;
  if (!suiteCalls.test(call.name) && !/\.test$/.test(call.name)) return null;
  const option = call.options.find(({ name, value }) => {
    if (!["skip", "only", "todo"].includes(name) || value === "false") return false;
    // `skip: fixtureMissing(…)`, or a constant that is one.
    const constant = value === "" ? name : value;
    const declared = new RegExp(`\\bconst ${constant.replace(/\W.*/s, "")} = fixtureMissing\\(`).test(text);
    return !value.startsWith("fixtureMissing(") && !declared;
  });
  return option ? `${call.name} with ${option.name}` : null;
}
