import type { StreamDefinition } from "../../model/definition.ts";
import type { ErrorDetail } from "../../model/error.ts";
import { type CastTarget, castValue } from "../failures/cast-value.ts";
import { maskPersonal } from "../failures/mask.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import { pointerParts } from "./json-pointer.ts";
import { valueAt } from "./value-at.ts";

/** Characters of a value that are shown with an error. */
const actualCharactersMax = 100;

/**
 * The errors of an event with what was found at their places (JSON, cut, personal values masked) and what to do about it. For
 * events that fail only: it costs about as much as validating them.
 */
export function explainErrors(
  errors: readonly ErrorDetail[],
  event: Pick<ReadEvent, "data" | "attributes">,
  stream: Pick<StreamDefinition, "pii" | "time">,
): readonly ErrorDetail[] {
  const shown = stream.pii.length === 0 ? event.data : maskPersonal(event.data, stream.pii);
  return errors.map((error) => {
    const { code, pointer } = error;
    if (!pointsIntoEvent.has(code)) return withHint(error, undefined, hintsByCode[code]);
    const parts = pointerParts(pointer);
    // Without a field of its own the time of a stream is that of the CloudEvent, beside the data.
    const aside = code === "TIME_INVALID" && stream.time === null;
    const value = pointer === "" ? undefined : valueAt(aside ? event.attributes : event.data, parts);
    const actual = value === undefined ? undefined : jsonStart(valueAt(aside ? event.attributes : shown, parts));
    return withHint(error, actual, hintOf(error, value));
  });
}

/** Codes whose pointer leads into the event as sent; that of a transform's error leads into its result. */
const pointsIntoEvent: ReadonlySet<string> = new Set(["CONTRACT_BROKEN", "KEY_MISSING", "TIME_INVALID"]);

function withHint(error: ErrorDetail, actual: string | undefined, hint: string | undefined): ErrorDetail {
  return { ...error, ...(actual === undefined ? {} : { actual }), ...(hint === undefined ? {} : { hint }) };
}

const unreadable =
  "The event cannot be read, so no part of it can be edited: replace it as a whole, or ask the sender for a correct one.";
const broken = "Correct the transform for such events, then replay them.";
const smaller = "Replace it with a smaller event, or split it where it is sent.";

const hintsByCode: Readonly<Record<string, string>> = {
  EVENT_NOT_OBJECT: "Replace the whole event with an object, or discard it.",
  JSON_INVALID: unreadable,
  JSON_KEY_DUPLICATE: unreadable,
  NUMBER_NOT_EXACT: unreadable,
  CLOUDEVENT_INVALID: unreadable,
  CSV_INVALID: unreadable,
  JSON_TOO_DEEP: smaller,
  EVENT_TOO_LARGE: smaller,
  TRANSFORM_THREW: broken,
  TRANSFORM_RESULT_INVALID: broken,
};

function hintOf({ code, pointer, detail }: ErrorDetail, value: unknown): string | undefined {
  if (code === "KEY_MISSING") return "Set this field with an edit or a recipe; each event needs a value of its own.";
  if (/not a field of the contract|unrecognized key/i.test(detail))
    return "Remove or rename it with a recipe, or add it to the contract.";
  const wanted = code === "TIME_INVALID" ? "timestamp" : wantedKind(detail);
  const cast = wanted === null || pointer === "" ? undefined : castValue(value, wanted);
  if (cast !== undefined && cast !== value) {
    return `It reads as a ${wanted}: a recipe mends all such events with ${JSON.stringify({ do: "cast", path: pointer, to: wanted })}.`;
  }
  if (code === "TIME_INVALID") return "Write it like 2026-01-31T12:00:00Z, or as milliseconds since 1970.";
  if (pointer === "") return undefined;
  if (value === undefined) return "Set it with an edit or a recipe, or make it optional in the contract.";
  return "Correct it with an edit or a recipe; if such values are right, change the contract.";
}

/** What our own texts and zod's say that was expected. */
function wantedKind(detail: string): CastTarget | null {
  const kind = /(?:must be|expected) (?:an? )?(?:whole )?(number|int|string|boolean|date and time)\b/.exec(detail)?.[1];
  if (kind === "date and time" || /ISO datetime/.test(detail)) return "timestamp";
  if (kind === "int") return "number";
  return (kind ?? null) as CastTarget | null;
}

/** The first characters of a value as JSON; of a large value no more than that is looked at. */
function jsonStart(value: unknown): string {
  const text = new JsonStart().write(value);
  return text.length <= actualCharactersMax ? text : `${text.slice(0, actualCharactersMax - 1)}…`;
}

class JsonStart {
  #text = "";

  write(value: unknown): string {
    if (typeof value === "string") this.#text += JSON.stringify(value.slice(0, actualCharactersMax + 1));
    else if (typeof value !== "object" || value === null) this.#text += JSON.stringify(value);
    else if (Array.isArray(value)) this.#members("[", "]", value.entries(), false);
    else this.#members("{", "}", Object.entries(value), true);
    return this.#text;
  }

  #members(open: string, close: string, members: Iterable<readonly [string | number, unknown]>, named: boolean): void {
    let separator = open;
    for (const [name, inner] of members) {
      this.#text += separator;
      if (this.#text.length > actualCharactersMax) return;
      if (named) this.#text += `${JSON.stringify(String(name).slice(0, actualCharactersMax + 1))}:`;
      this.write(inner);
      separator = ",";
    }
    this.#text += separator === open ? `${open}${close}` : close;
  }
}
