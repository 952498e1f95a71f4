import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { EventPulseError } from "../../model/error.ts";
import { readTenantKeys, type TenantKeys } from "../../model/tenant-keys.ts";

/** Secrets of one stage. */
export interface StageSecrets {
  /** The API key of the tenant `default`. */
  readonly key: string;
  /** Of all other tenants. */
  readonly tenantKeys: TenantKeys;
  /** Signs webhooks, in the form of Standard Webhooks. */
  readonly webhookSecret: string;
}

/** Reads the secret of a stage: once for the life of a function. Throws SETTING_INVALID when it is not what `infra/` puts there. */
export async function stageSecrets(client: SecretsManagerClient, secretArn: string): Promise<StageSecrets> {
  const { SecretString: text = "" } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  const invalid = (problem: string) => new EventPulseError("SETTING_INVALID", `The secret ${secretArn} ${problem}.`);
  const { key, tenantKeys = {}, webhookSecret } = members(text);
  const isComplete = typeof key === "string" && key.length >= 16;
  if (!isComplete || typeof webhookSecret !== "string" || !webhookSecret.startsWith("whsec_")) {
    throw invalid('must hold JSON like {"key": "…", "tenantKeys": {"acme": "…"}, "webhookSecret": "whsec_…"}');
  }
  if (!isObject(tenantKeys)) throw invalid('must hold "tenantKeys" as an object: {"acme": "…"}');
  const read = readTenantKeys(Object.entries(tenantKeys));
  if (!read.ok) throw invalid(`has wrong "tenantKeys": ${read.problem}`);
  return { key, tenantKeys: read.keys, webhookSecret };
}

/** Of a JSON object; of any other text none. */
function members(text: string): Partial<Record<keyof StageSecrets, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
