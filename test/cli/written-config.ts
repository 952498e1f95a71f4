import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A config whose imports are found from anywhere. */
export async function writeConfig(folder: string, body: string): Promise<string> {
  const file = join(folder, "eventpulse.config.ts");
  const root = JSON.stringify(new URL("../../src/index.ts", import.meta.url).href);
  const zod = JSON.stringify(import.meta.resolve("zod"));
  const head = `import { defineConfig, stream } from ${root};\nimport { z } from ${zod};\n`;
  await writeFile(file, head + body);
  return file;
}

export const goodConfig = `export default defineConfig({ name: "shop", streams: {
  orders: stream({ schema: z.object({ id: z.string(), total: z.number() }), key: "id" }) } });\n`;
