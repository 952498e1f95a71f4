/** A scalar that a recipe writes or compares with. */
export type RecipeValue = string | number | boolean | null;

/** When a step applies; every property that is given must hold. `path` is a JSON Pointer. */
export interface RecipeCondition {
  readonly path: string;
  readonly exists?: boolean;
  readonly equals?: RecipeValue;
  /** A JavaScript regular expression, matched against a text. */
  readonly matches?: string;
  readonly type?: "string" | "number" | "boolean" | "null" | "object" | "array";
}

/**
 * One change of an event; `path`, `from` and `to` are JSON Pointers. A path that is not there changes nothing, except for `set` and
 * `default`, which make what is missing above it, as `rename` does above `to`.
 */
export type RecipeStep = (
  | { readonly do: "set"; readonly path: string; readonly value: unknown }
  /** Sets what is missing or null. */
  | { readonly do: "default"; readonly path: string; readonly value: unknown }
  | { readonly do: "remove"; readonly path: string }
  /** Moves a value to where none is yet; or into the place of what holds it, which is how an envelope is taken off. */
  | { readonly do: "rename"; readonly from: string; readonly to: string }
  /** `timestamp`: milliseconds since 1970 or a text that Date reads, to RFC 3339. A value that cannot be cast fails the recipe. */
  | { readonly do: "cast"; readonly path: string; readonly to: "number" | "string" | "boolean" | "timestamp" }
  /** In a text, all matches of a regular expression; `$1` to `$9` in `with` are its groups, `$$` is a dollar sign. */
  | { readonly do: "replace"; readonly path: string; readonly pattern: string; readonly with: string }
) & { readonly if?: RecipeCondition | readonly RecipeCondition[] };

/** Mends many events the same way: declarative, kept in `recipes/*.json`. */
export interface Recipe {
  readonly name: string;
  readonly description: string;
  readonly steps: readonly RecipeStep[];
}

/** What mends the events of a job: steps that were frozen with it, or a function of the config by its name. */
export type Mending =
  | { readonly kind: "recipe"; readonly recipe: Recipe }
  | { readonly kind: "function"; readonly name: string };

/** A function in the config: the mended event, or null when it cannot mend this one. Its errors fail the item, not the job. */
export type RecipeFunction = (event: unknown, failure: RecipeFailure) => unknown;

/** A recipe as a project has it: from a file, or a function of the config. */
export type ProjectRecipe =
  | { readonly kind: "recipe"; readonly recipe: Recipe }
  | { readonly kind: "function"; readonly name: string; readonly apply: RecipeFunction };

/** What such a function may know of the failure. */
export interface RecipeFailure {
  readonly id: string;
  readonly stream: string;
  readonly code: string;
  readonly errors: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
}

/** One operation of a JSON Patch (RFC 6902). */
export interface PatchOperation {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}
