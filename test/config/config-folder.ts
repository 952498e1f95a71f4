import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { EventPulseError } from "../../src/model/error.ts";

/** A temporary folder with these files, removed after the test. */
export async function configFolder(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-config-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** What is wrong with a config, as `file:line: text` with the folder left out. */
export async function problemsOf(
  context: TestContext,
  text: string,
  { name = "eventpulse.config.ts", environment = {} }: { name?: string; environment?: Record<string, string> } = {},
): Promise<readonly string[]> {
  const folder = await configFolder(context, { [name]: text });
  try {
    await loadConfig(join(folder, name), { environment });
  } catch (error) {
    if (!(error instanceof EventPulseError) || error.code !== "CONFIG_INVALID") throw error;
    return error.errors.map(({ detail }) => detail.replaceAll(`${folder}/`, ""));
  }
  return [];
}
