import { callSite } from "./call-site.ts";
import type { Handle } from "./handle.ts";

/** A text that is in the environment, not in the config. */
export interface EnvironmentReference extends Handle<"env"> {
  readonly options: { readonly name: string; readonly fallback: string | null };
}

/** Text, or a reference to the environment where it may hold a secret or differ between machines. */
export type Text = string | EnvironmentReference;

/**
 * A reference to an environment variable, read when the config is loaded: `env("HOOK_URL")`. Without a `fallback` a variable that is
 * missing or empty is a problem of the config that names it.
 */
export function env(name: string, fallback?: string): EnvironmentReference {
  return { kind: "env", options: { name, fallback: fallback ?? null }, site: callSite(env) };
}
