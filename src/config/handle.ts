import type { CallSite } from "./call-site.ts";

/**
 * What a function of the config returns: its options as they were given, and where. Nothing is checked yet: the loader checks
 * all of a config together, so that all its problems are listed at once. Recognised by its shape, not by its class, because
 * the config may import another copy of the package than the one that loads it.
 */
export interface Handle<Kind extends string> {
  readonly kind: Kind;
  readonly options: unknown;
  readonly site: CallSite;
}

export function isHandle<Kind extends string>(value: unknown, kind: Kind): value is Handle<Kind> {
  return typeof value === "object" && value !== null && "site" in value && "kind" in value && value.kind === kind;
}
