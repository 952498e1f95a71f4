import { hash, timingSafeEqual } from "node:crypto";
import { EventPulseError } from "../model/error.ts";
import { tenantDefault } from "../model/glossary.ts";
import type { TenantKeys } from "../model/tenant-keys.ts";
import type { Principal } from "./services.ts";

/**
 * Finds who holds a key: `key` is that of the tenant `default`. Every token takes as long: it is compared with all keys,
 * by digests, so that neither the length of a key nor how much of it is right shows. Throws SETTING_INVALID for a key
 * that two tenants have.
 */
export function principalByKey(key: string, tenantKeys: TenantKeys): (token: string) => Principal | null {
  const holders = [[tenantDefault, key] as const, ...tenantKeys].map(([tenant, own]) => ({
    digest: digestOf(own),
    principal: { name: "key", tenant },
  }));
  const isShared = new Set([key, ...tenantKeys.values()]).size < holders.length;
  const isNamedTwice = tenantKeys.has(tenantDefault);
  if (isNamedTwice || isShared) {
    const message = isNamedTwice
      ? `The tenant "${tenantDefault}" has its key already; take it out of the keys of tenants.`
      : "Two tenants have the same key; give each a key of its own.";
    throw new EventPulseError("SETTING_INVALID", message);
  }
  return (token) => {
    const given = digestOf(token);
    let found: Principal | null = null;
    for (const { digest, principal } of holders) if (timingSafeEqual(digest, given)) found = principal;
    return found;
  };
}

function digestOf(key: string): Buffer {
  return hash("sha256", key, "buffer");
}
