import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** Secrets of one data folder, made at its first start. */
export interface FolderSecrets {
  /** The API key. */
  readonly key: string;
  /** Signs webhooks, in the form of Standard Webhooks. */
  readonly webhookSecret: string;
  /** Signs upload links. */
  readonly linkSecret: string;
}

/** Reads the secrets, or makes them; the file is readable by its owner only. */
export function folderSecrets(path: string): FolderSecrets {
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as FolderSecrets;
  const secrets: FolderSecrets = {
    key: `ep_${randomBytes(24).toString("base64url")}`,
    webhookSecret: `whsec_${randomBytes(32).toString("base64")}`,
    linkSecret: randomBytes(32).toString("hex"),
  };
  writeFileSync(path, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  return secrets;
}
