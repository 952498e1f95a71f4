import type { RecipeFunction } from "../model/recipe.ts";
import type { AlertHandle } from "./alert.ts";
import type { AnomalyHandle } from "./anomaly.ts";
import { callSite } from "./call-site.ts";
import type { Text } from "./environment-reference.ts";
import type { Handle } from "./handle.ts";
import type { SourceHandle } from "./source.ts";
import type { StreamHandle } from "./stream.ts";

export type Streams = Readonly<Record<string, StreamHandle>>;

/** A whole config, with the types of its streams: `createClient<typeof config>()` reads them. */
export interface Config<Named extends Streams = Streams> extends Handle<"config"> {
  /** For the compiler only; never set. */
  readonly "~streams"?: Named;
}

/** What a stream takes: `EventOf<typeof config, "orders">`. */
export type EventOf<Of extends Config, Name extends string> = NonNullable<StreamOf<Of, Name>["~types"]>["input"];
/** What a stream becomes: `RecordIn<typeof config, "orders">`. */
export type RecordIn<Of extends Config, Name extends string> = NonNullable<StreamOf<Of, Name>["~types"]>["record"];
type StreamOf<Of extends Config, Name extends string> = NonNullable<Of["~streams"]>[Name] & StreamHandle;

export interface ConfigOptions<Named extends Streams> {
  /** Name of the project: 1 to 100 characters. */
  readonly name: Text;
  /** The streams by name. Names: a to z first, then a to z, 0 to 9 and "-"; up to 63 characters. */
  readonly streams: Named;
  /** The ways in. Default: `[http()]`. */
  readonly sources?: readonly SourceHandle[];
  /** The rules by name. */
  readonly anomalies?: Readonly<Record<string, AnomalyHandle>>;
  readonly alerts?: readonly AlertHandle[];
  /**
   * Functions by name that mend failed events: they get the event and what is known of its failure, and return the mended event, or
   * null when they cannot mend this one. Names: a letter first, then letters, digits, "_" and "-"; up to 63 characters. Recipes that
   * need no code are files beside the config: `recipes/NAME.json`.
   */
  readonly recipes?: Readonly<Record<string, RecipeFunction>>;
}

/** The default export of a config file. Checked as a whole when it is loaded. */
export function defineConfig<const Named extends Streams>(options: ConfigOptions<Named>): Config<Named> {
  return { kind: "config", options, site: callSite(defineConfig) };
}
