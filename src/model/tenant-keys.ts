/** API keys of tenants other than `default`, by tenant. */
export type TenantKeys = ReadonlyMap<string, string>;

export type TenantKeysRead =
  | { readonly ok: true; readonly keys: TenantKeys }
  /** What is wrong with which entry; neither names nor keys, for either may be a key in the wrong place. */
  | { readonly ok: false; readonly problem: string };

/** Tenants are named as streams are: parts of keys, paths and metrics. */
export const tenantPattern = /^[a-z][a-z0-9-]{0,62}$/;
/** Printable ASCII without spaces: what a header carries as it is. */
export const apiKeyPattern = /^[\x21-\x7e]{16,200}$/;
export const apiKeyPatternText = "16 to 200 printable characters without spaces";

/** Reads pairs of a tenant and its key, of which each tenant has one. Whose key is whose `principalByKey` checks. */
export function readTenantKeys(entries: readonly (readonly [tenant: string, key: unknown])[]): TenantKeysRead {
  const keys = new Map<string, string>();
  for (const [index, [tenant, key]] of entries.entries()) {
    const problem = problemOf(tenant, key, keys);
    if (problem !== null) return { ok: false, problem: `entry ${index + 1} ${problem}` };
    keys.set(tenant, String(key));
  }
  return { ok: true, keys };
}

function problemOf(tenant: string, key: unknown, keys: TenantKeys): string | null {
  if (!tenantPattern.test(tenant)) {
    return "must begin with a tenant's name: a letter a-z, then up to 62 of a-z, 0-9 and -";
  }
  if (typeof key !== "string" || !apiKeyPattern.test(key)) return `must have a key of ${apiKeyPatternText}`;
  if (keys.has(tenant)) return "is of a tenant that has a key already";
  return null;
}
