import * as z from "zod";
import { EventPulseError } from "../model/error.ts";
import { failureClasses, failureStates } from "../model/failure.ts";
import { anyFailure, type JobAction, type JobSelection } from "../model/job.ts";
import { limits } from "../model/limits.ts";
import { conditionOperators } from "../model/page.ts";
import type { Mending } from "../model/recipe.ts";
import { readRecipe } from "../pipeline/failures/read-recipe.ts";
import { described, named } from "./described.ts";
import { invalidBody } from "./json-body.ts";
import { knownIssue } from "./known-issue.ts";
import { reasonCharactersMax, timeParameter } from "./parameters.ts";
import type { KnownScope } from "./scope.ts";
import type { Services } from "./services.ts";
import { knownContract } from "./stream-parameter.ts";

const text = (charactersMax: number) => z.string().min(1).max(charactersMax);
const name = text(limits.fieldCharactersMax);

const conditionSchema = z
  .strictObject({ field: name, operator: z.enum(conditionOperators), value: z.string().max(1_000) })
  .refine(({ operator, value }) => operator !== "exists" || value === "true" || value === "false", {
    error: "takes true or false after exists",
    path: ["value"],
  });

const filterSchema = z
  .strictObject({
    stream: name.optional(),
    state: z.enum(failureStates).optional(),
    class: z.enum(failureClasses).optional(),
    code: name.optional(),
    fingerprint: name.optional(),
    from: timeParameter("Last seen, inclusive."),
    to: timeParameter("Last seen, exclusive."),
    where: described(
      "Conditions on the event as it was sent; all must hold.",
      z.array(conditionSchema).min(1).max(limits.conditionsMax).optional(),
    ),
    contains: described("A text in the payload, byte for byte.", name.optional()),
  })
  // What a client leaves out by mistake must not mean everything.
  .refine((filter) => Object.keys(filter).length > 0, {
    error: 'give at least one condition; {"state":"quarantined"} is all that wait for an edit',
  });

const selectSchema = z
  .strictObject({
    ids: described("These failures.", z.array(name).min(1).max(limits.jobIdsMax).optional()),
    issue: described("The failures of this issue, `iss_…`.", name.optional()),
    filter: described("All failures that this matches, as for `GET /v1/failures`.", filterSchema.optional()),
    raw: described(
      "All raw objects of a stream that were received in this time: they are processed again.",
      z
        .strictObject({
          stream: name,
          from: requiredTime("Received, inclusive."),
          to: requiredTime("Received, exclusive."),
        })
        .optional(),
    ),
  })
  .refine((select) => Object.keys(select).length === 1, { error: "give one of ids, issue, filter and raw" });

function requiredTime(description: string) {
  const schema = timeParameter(description);
  return described(`${description} RFC 3339.`, schema.nonoptional({ error: "is required" }), {
    type: "string",
    format: "date-time",
  });
}

/** A week: longer, and retention is what removes them. */
const graceSecondsMax = 7 * 24 * 60 * 60;

const replayModes = ["plan", "dry-run", "run"] as const;

export const replayRequestSchema = named(
  "ReplayRequest",
  "Which failures or raw objects, and what to do with them. What is selected is frozen as a list when the job starts.",
  z.strictObject({
    select: described("One of its members.", selectSchema),
    mode: described(
      "`plan` counts; `dry-run` takes the real pipeline and writes nothing; `run` does it.",
      z.enum(replayModes),
    ),
    action: described(
      "`replay` (default) processes failures again; `discard` gives them up. Raw objects are always processed again.",
      z.enum(["replay", "discard"]).optional(),
    ),
    recipe: described("Mends each event first: name of a recipe of the config, or a recipe.", z.unknown().optional()),
    canary: described(
      "Items after which the job pauses by itself unless all of them were recovered.",
      z.int().min(1).max(limits.jobItemsMax).optional(),
    ),
    ratePerSecond: described("Items a second at most.", z.number().positive().max(1_000_000).optional()),
    reason: described("Why; a run that discards needs it.", text(reasonCharactersMax).optional()),
    graceSeconds: described(
      "Before a discard starts, in which it can be cancelled; 3600 without it.",
      z.int().min(0).max(graceSecondsMax).optional(),
    ),
  }),
);

export type ReplayRequest = z.output<typeof replayRequestSchema>;

/** Large enough for `limits.jobIdsMax` ids, each with quotes, a comma and some white space. */
export const replayBytesMax = limits.commandBytesMax + 64 * limits.jobIdsMax;

/** Throws BODY_INVALID for what does not go together, and REASON_MISSING. */
export function actionOf({ select, mode, action = "replay", recipe, graceSeconds, reason }: ReplayRequest): JobAction {
  const wrong: { pointer: string; detail: string }[] = [];
  const raw = select.raw !== undefined;
  if (raw && action === "discard") wrong.push({ pointer: "/action", detail: "raw objects cannot be discarded" });
  if (recipe !== undefined && (raw || action === "discard"))
    wrong.push({ pointer: "/recipe", detail: "a recipe mends failures that are replayed, and nothing else" });
  if (graceSeconds !== undefined && action !== "discard")
    wrong.push({ pointer: "/graceSeconds", detail: "only a discard has a grace period" });
  if (wrong.length > 0) throw invalidBody(wrong);
  if (action === "discard" && mode === "run" && reason === undefined) {
    throw new EventPulseError("REASON_MISSING", 'Say with "reason" why these failures are not needed.');
  }
  return raw ? "reprocess" : action;
}

/** Throws BODY_INVALID, ISSUE_UNKNOWN and STREAM_UNKNOWN. */
export async function selectionOf(scope: KnownScope, { select }: ReplayRequest): Promise<JobSelection> {
  if (select.ids !== undefined) return { kind: "ids", ids: [...new Set(select.ids)] };
  if (select.raw !== undefined) {
    knownContract(scope.services, select.raw.stream);
    checkBodyRange(select.raw, "/select/raw");
    return { kind: "raw", ...select.raw };
  }
  if (select.issue !== undefined) {
    const { fingerprint } = await knownIssue(scope, select.issue);
    return { kind: "filter", filter: { ...anyFailure, fingerprint } };
  }
  const { where, ...given } = select.filter ?? {};
  checkBodyRange(given, "/select/filter");
  const filter = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { kind: "filter", filter: { ...anyFailure, ...filter, where: where ?? [] } };
}

function checkBodyRange({ from, to }: { from?: number | undefined; to?: number | undefined }, pointer: string): void {
  if (from === undefined || to === undefined || from < to) return;
  throw invalidBody([{ pointer: `${pointer}/from`, detail: '"from" must be before "to"' }]);
}

/** What mends the events, frozen: a recipe that changes later changes no job. Throws RECIPE_UNKNOWN and RECIPE_INVALID. */
export function mendingOf(services: Pick<Services, "project">, recipe: unknown): Mending | null {
  if (recipe === undefined) return null;
  if (typeof recipe !== "string") return { kind: "recipe", recipe: inlineRecipe(recipe) };
  const { recipes } = services.project();
  const found = recipes.get(recipe);
  if (found === undefined) {
    const names = [...recipes.keys()].slice(0, 20).join(", ");
    const known = names === "" ? "The config has none." : `The config has: ${names}.`;
    throw new EventPulseError("RECIPE_UNKNOWN", `There is no recipe ${JSON.stringify(recipe.slice(0, 80))}. ${known}`);
  }
  return found.kind === "recipe" ? found : { kind: "function", name: found.name };
}

/** Pointers of its errors lead into the request. */
function inlineRecipe(value: unknown) {
  const given = typeof value === "object" && value !== null && "name" in value ? value.name : undefined;
  try {
    return readRecipe(value, typeof given === "string" ? given : "inline");
  } catch (error) {
    if (!(error instanceof EventPulseError)) throw error;
    const errors = error.errors
      .slice(0, limits.errorsPerEventMax)
      .map((detail) => ({ ...detail, pointer: `/recipe${detail.pointer}` }));
    throw new EventPulseError(error.code, error.message, { errors, cause: error });
  }
}
