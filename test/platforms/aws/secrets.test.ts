import assert from "node:assert/strict";
import { test } from "node:test";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { stageSecrets } from "../../../src/platforms/aws/secrets.ts";

const [key, acme, webhookSecret] = ["k".repeat(40), "a".repeat(16), "whsec_c2VjcmV0"];

async function secretsIn(text: string) {
  const client = { send: async () => ({ SecretString: text }) } as unknown as SecretsManagerClient;
  return stageSecrets(client, "arn:secret");
}

test("a stage's secret holds the key of default, the keys of other tenants and what signs webhooks", async () => {
  assert.deepEqual(await secretsIn(JSON.stringify({ key, webhookSecret })), {
    ...{ key, webhookSecret },
    tenantKeys: new Map(),
  });
  const { tenantKeys } = await secretsIn(JSON.stringify({ key, tenantKeys: { acme }, webhookSecret }));
  assert.deepEqual(tenantKeys, new Map([["acme", acme]]));
});

test("a secret that is not of that form is refused with its place and what is wrong, without what is in it", async () => {
  const wrong = [
    ["", /must hold JSON like/],
    ["[]", /must hold JSON like/],
    [JSON.stringify({ key: "short-secret", webhookSecret }), /must hold JSON like/],
    [JSON.stringify({ key }), /must hold JSON like/],
    [JSON.stringify({ key, webhookSecret, tenantKeys: [acme] }), /must hold "tenantKeys" as an object/],
    [JSON.stringify({ key, webhookSecret, tenantKeys: { acme: "short-secret" } }), /entry 1 must have a key of 16/],
    [JSON.stringify({ key, webhookSecret, tenantKeys: { "A b": acme } }), /entry 1 must begin with a tenant's name/],
  ] as const;
  for (const [text, reason] of wrong) {
    await assert.rejects(secretsIn(text), (error: Error) => {
      assert.match(error.message, /^The secret arn:secret /);
      assert.match(error.message, reason);
      assert.doesNotMatch(error.message, /kkkk|aaaa|short-secret|c2VjcmV0/);
      return true;
    });
  }
});
