import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { EventPulseError } from "../../model/error.ts";

/** Secrets of one stage. */
export interface StageSecrets {
  /** The API key. */
  readonly key: string;
  /** Signs webhooks, in the form of Standard Webhooks. */
  readonly webhookSecret: string;
}

/** Reads the secret of a stage: once for the life of a function. Throws SETTING_INVALID when it is not what `infra/` puts there. */
export async function stageSecrets(client: SecretsManagerClient, secretArn: string): Promise<StageSecrets> {
  const { SecretString: text = "" } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  const secrets = parsed(text);
  if (secrets !== null) return secrets;
  const shape = '{"key": "…", "webhookSecret": "whsec_…"}';
  throw new EventPulseError("SETTING_INVALID", `The secret ${secretArn} must hold JSON like ${shape}.`);
}

function parsed(text: string): StageSecrets | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { key, webhookSecret } = value as Partial<Record<keyof StageSecrets, unknown>>;
  if (typeof key !== "string" || key.length < 16) return null;
  if (typeof webhookSecret !== "string" || !webhookSecret.startsWith("whsec_")) return null;
  return { key, webhookSecret };
}
