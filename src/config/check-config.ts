import type { AlertDefinition, AnomalyDefinition, Project, SourceDefinition } from "../model/definition.ts";
import { severities } from "../model/incident.ts";
import type { ProjectRecipe, RecipeFunction } from "../model/recipe.ts";
import { isRecipeName } from "../pipeline/failures/read-recipe.ts";
import { checkAnomaly } from "./check-anomaly.ts";
import { checkSimulator } from "./check-simulator.ts";
import { type CheckedStream, checkStream } from "./check-stream.ts";
import { type Handle, isHandle } from "./handle.ts";
import { kindOf, OptionsReader, shown } from "./options-reader.ts";
import { inside, type Problems, type Spot } from "./problems.ts";
import { readDestinations } from "./read-destinations.ts";
import { TextReader } from "./text-reader.ts";

const streamName = /^[a-z][a-z0-9-]{0,62}$/;
const ruleName = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
const ruleNameText = 'a letter first, then letters, digits, "_" and "-", up to 63 characters';
const cooldownRange = { min: 1000, max: 7 * 24 * 3_600_000, default: 30 * 60_000 };

/**
 * Checks what `defineConfig` was given and makes the project of it. Notes every problem; the project is whole only when there
 * is none.
 */
export function checkConfig(
  config: Handle<"config">,
  environment: Readonly<Record<string, string | undefined>>,
  problems: Problems,
): Project {
  return new ConfigCheck(config, environment, problems).project();
}

class ConfigCheck {
  readonly #options: OptionsReader;
  readonly #problems: Problems;
  readonly #texts: TextReader;
  /** Names of what was registered, by identity: this is how handles refer to each other. */
  readonly #streamNames = new Map<unknown, string>();
  readonly #ruleNames = new Map<unknown, string>();
  readonly #streams = new Map<string, CheckedStream>();

  constructor(config: Handle<"config">, environment: Readonly<Record<string, string | undefined>>, problems: Problems) {
    const known = ["name", "streams", "sources", "anomalies", "alerts", "recipes"];
    const spot: Spot = { site: config.site, path: [], label: "" };
    this.#options = new OptionsReader(config.options, known, spot, problems);
    this.#problems = problems;
    this.#texts = new TextReader(environment, problems);
  }

  project(): Project {
    const name = this.#options.text("name", this.#texts);
    if (name !== null && (name.trim() === "" || name.length > 100)) {
      this.#options.problem("name", "must have 1 to 100 characters.");
    }
    this.#readStreams();
    const anomalies = this.#readAnomalies();
    return {
      name: name ?? "",
      streams: new Map([...this.#streams].map(([streamName, { definition }]) => [streamName, definition])),
      anomalies,
      alerts: this.#readAlerts(),
      sources: this.#readSources(),
      recipes: this.#readRecipes(),
    };
  }

  #readStreams(): void {
    const entries = this.#options.entries("streams");
    if (entries.length === 0)
      this.#options.problem("streams", "a config needs at least one stream: streams: { orders }.");
    for (const [name, value] of entries) {
      const spot = inside(this.#options.at("streams"), name);
      if (!this.#checkEntry(spot, name, value, "stream", streamName, this.#streamNames)) continue;
      const checked = checkStream(name, value as Handle<"stream">, this.#texts, this.#problems);
      if (checked !== null) this.#streams.set(name, checked);
    }
  }

  #readAnomalies(): readonly AnomalyDefinition[] {
    return this.#options.entries("anomalies").flatMap(([name, value]) => {
      const spot = inside(this.#options.at("anomalies"), name);
      if (!this.#checkEntry(spot, name, value, "anomaly", ruleName, this.#ruleNames)) return [];
      const handle = value as Handle<"anomaly"> & { readonly stream?: unknown };
      return [checkAnomaly(name, handle, this.#streamOf(handle, `anomalies.${name}`), this.#problems)];
    });
  }

  /** Whether an entry of `streams` or `anomalies` is of its kind; registers it. */
  #checkEntry(
    spot: Spot,
    name: string,
    value: unknown,
    kind: string,
    pattern: RegExp,
    names: Map<unknown, string>,
  ): boolean {
    if (!pattern.test(name)) {
      const rule =
        pattern === streamName ? 'a to z first, then a to z, 0 to 9 and "-", up to 63 characters' : ruleNameText;
      const better = kebab(name);
      const instead = pattern === streamName && pattern.test(better) ? `, such as ${JSON.stringify(better)}` : "";
      this.#problems.add(
        spot,
        `is not a name for ${kind === "stream" ? "a stream" : "a rule"}; use ${rule}${instead}.`,
      );
    }
    if (!isHandle(value, kind)) {
      this.#problems.add(spot, `must be made with ${kind}(…), is ${kindOf(value)}.`);
      return false;
    }
    const other = names.get(value);
    if (other !== undefined) {
      this.#problems.add(spot, `is the same ${kind} as ${shown(other)}; make one for each name.`);
      return false;
    }
    names.set(value, name);
    return true;
  }

  /** The stream that a rule or simulator refers to. */
  #streamOf(handle: Handle<string> & { readonly stream?: unknown }, label: string): CheckedStream | null {
    const name = this.#streamNames.get(handle.stream);
    if (name !== undefined) return this.#streams.get(name) ?? null;
    const spot = { site: handle.site, path: [], label };
    const what = isHandle(handle.stream, "stream")
      ? "is about a stream that is not in `streams` of defineConfig; add it there"
      : `must be about a stream made with stream(…), is about ${kindOf(handle.stream)}`;
    this.#problems.add(spot, `${what}.`);
    return null;
  }

  #readAlerts(): readonly AlertDefinition[] {
    return this.#options.list("alerts").flatMap((value, index) => {
      const label = `alerts[${index}]`;
      if (!isHandle(value, "alert")) {
        this.#options.problem("alerts", `element ${index} must be made with alert(…), is ${kindOf(value)}.`);
        return [];
      }
      const spot: Spot = { site: value.site, path: [], label };
      const options = new OptionsReader(
        value.options,
        ["on", "to", "cooldown", "recovery", "severity"],
        spot,
        this.#problems,
      );
      const on = options.value("on");
      const anomaly = this.#ruleNames.get(on);
      if (anomaly === undefined) {
        const add = "is a rule that is not in `anomalies` of defineConfig; add it there.";
        options.problem("on", isHandle(on, "anomaly") ? add : `must be a rule made with anomaly(…), is ${kindOf(on)}.`);
      }
      const to = readDestinations(options, "to", this.#texts, this.#problems);
      if (options.list("to").length === 0) options.problem("to", 'tells nobody; add email("…") or webhook("…").');
      const cooldownMillis = options.duration("cooldown", cooldownRange);
      const recovery = options.flag("recovery", true);
      const severity = options.choice("severity", severities, "warning");
      return [{ kind: "alert", name: label, anomaly: anomaly ?? "", to, cooldownMillis, recovery, severity }];
    });
  }

  #readSources(): readonly SourceDefinition[] {
    if (this.#options.value("sources") === undefined) return [{ kind: "http" }];
    let doors = 0;
    return this.#options.list("sources").flatMap((value, index): readonly SourceDefinition[] => {
      const label = `sources[${index}]`;
      if (isHandle(value, "http")) {
        doors += 1;
        const spot: Spot = { site: value.site, path: [], label };
        if (doors > 1) this.#problems.add(spot, "http() is there already; remove one.");
        return [{ kind: "http" }];
      }
      if (isHandle(value, "simulator")) {
        return [checkSimulator(label, value, this.#streamOf(value, label), this.#problems)];
      }
      this.#options.problem("sources", `element ${index} must be http() or simulator(…), is ${kindOf(value)}.`);
      return [];
    });
  }

  #readRecipes(): ReadonlyMap<string, ProjectRecipe> {
    const recipes = new Map<string, ProjectRecipe>();
    for (const [name, value] of this.#options.entries("recipes")) {
      const spot = inside(this.#options.at("recipes"), name);
      if (!isRecipeName(name)) this.#problems.add(spot, `is not a name for a recipe; use ${ruleNameText}.`);
      if (typeof value === "function") recipes.set(name, { kind: "function", name, apply: value as RecipeFunction });
      else this.#problems.add(spot, `must be a function (event, failure) => …, is ${kindOf(value)}.`);
    }
    return recipes;
  }
}

function kebab(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "");
}
