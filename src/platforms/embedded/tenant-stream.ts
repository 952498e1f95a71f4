const separator = "\u0000";

/** A tenant's stream, as the key of a map; no name of either holds the separator. */
export function tenantStream(tenant: string, stream: string): string {
  return `${tenant}${separator}${stream}`;
}

/** The names that `tenantStream` was given. */
export function tenantAndStream(key: string): readonly [tenant: string, stream: string] {
  const end = key.indexOf(separator);
  return [key.slice(0, end), key.slice(end + 1)];
}
