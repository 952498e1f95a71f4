import type { Project } from "../../src/model/definition.ts";

/** A project with nothing in it but what is given. */
export function projectOf(more: Partial<Project> = {}): Project {
  return { name: "shop", streams: new Map(), anomalies: [], alerts: [], sources: [], recipes: new Map(), ...more };
}
