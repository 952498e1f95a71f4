import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { EventPulseError } from "../model/error.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { packageVersion } from "./package-version.ts";

const configName = "eventpulse.config.ts";

export function initCommand(): Command {
  const command = baseCommand(
    "init",
    "write a first project",
    `Writes a project that runs: a sensor stream with a simulator, two anomaly rules and an alert. Asks nothing and overwrites
nothing: an existing config ends it, other existing files stay as they are.

With --json: {"folder", "created": [file, …], "kept": [file, …]}`,
  ).argument("[folder]", "where to write it; made when it is not there", ".");
  return command.action(async (folder: string) => {
    const terminal = terminalFor(command);
    const result = await writeProject(folder);
    await terminal.result(result, () =>
      [
        ...result.created.map((file) => `${terminal.style("green", "created")} ${join(folder, file)}`),
        ...result.kept.map((file) => `${terminal.style("yellow", "kept")}    ${join(folder, file)} (it was there)`),
      ].join("\n"),
    );
    if (result.kept.includes("package.json")) {
      terminal.say(
        'Add "type": "module" and the dependencies eventpulse and zod to package.json, unless they are there.',
      );
    }
    const here = relative(process.cwd(), resolve(folder));
    terminal.next(`${here === "" ? "" : `cd ${here} && `}npx eventpulse dev`);
  });
}

interface InitResult {
  readonly folder: string;
  readonly created: readonly string[];
  readonly kept: readonly string[];
}

async function writeProject(folder: string): Promise<InitResult> {
  const config = await readFile(new URL(`../../examples/quickstart/${configName}`, import.meta.url), "utf8");
  const files = [
    [configName, config],
    ["package.json", packageJson(basename(resolve(folder)))],
    [".gitignore", "node_modules/\n# Events, records and keys of `eventpulse dev`\n.eventpulse/\n"],
    ["README.md", readme],
  ] as const;
  const created: string[] = [];
  const kept: string[] = [];
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of files) {
      if (await writeNew(join(folder, name), content)) created.push(name);
      else if (name === configName) throw alreadyThere(join(folder, name));
      else kept.push(name);
    }
  } catch (cause) {
    if (cause instanceof EventPulseError) throw cause;
    throw new Error(`The project cannot be written into ${folder}: ${cause instanceof Error ? cause.message : cause}`);
  }
  return { folder: resolve(folder), created, kept };
}

/** False when a file with this name is there; it is not touched then. */
async function writeNew(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function alreadyThere(path: string): EventPulseError {
  return new EventPulseError(
    "STATE_CONFLICT",
    `${path} is there already and is not overwritten. Choose another folder, or run \`eventpulse dev\` with what is there.`,
  );
}

function packageJson(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  const content = {
    name: name === "" ? "eventpulse-project" : name,
    private: true,
    type: "module",
    scripts: { dev: "eventpulse dev", start: "eventpulse start", check: "eventpulse check" },
    dependencies: { eventpulse: `^${packageVersion()}`, zod: "^4.0.0" },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const readme = `# An EventPulse project

\`eventpulse.config.ts\` says what comes in (a stream of sensor readings), what is unusual, and who is told.

| | |
|---|---|
| \`npx eventpulse dev\` | run it here; a change of the config is taken over at once |
| \`npx eventpulse status\` | is it healthy, and where are all events |
| \`npx eventpulse query readings\` | ask for records: \`--where 'temperature gt 30'\`, \`--format csv\` |
| \`npx eventpulse tail\` | watch what happens |
| \`npx eventpulse send readings file.ndjson\` | send events of your own |
| \`npx eventpulse failures list\` | what could not be processed, with why; \`show\`, \`payload\`, \`retry\`, \`discard\` |
| \`npx eventpulse check\` | is the config right |
| \`npx eventpulse doctor\` | is the machine right |

Everything it keeps lies in \`.eventpulse/\`; without that folder it starts anew.
`;
