import type { AnomalyDefinition } from "../../../model/definition.ts";
import { fieldAt, fieldPath } from "../field-path.ts";

/** What a rule's detector judges in a record; undefined: nothing of it. */
export type RuleValue = (record: Readonly<Record<string, unknown>>) => unknown;

/**
 * Selects what a rule judges, by the kind of its detector: a number; for `novelty` the text of a category; for
 * `multivariate` a list of numbers; for `rate` and `drift` the record. A record in which a field is missing, or is not what
 * the detector takes, is not judged.
 */
export function ruleValue({ fields, detect }: Pick<AnomalyDefinition, "fields" | "detect">): RuleValue {
  const paths = fields.map(fieldPath);
  const [first = []] = paths;
  switch (detect.kind) {
    case "rate":
    case "drift":
      return (record) => record;
    case "novelty":
      return (record) => categoryOf(fieldAt(record, first));
    case "multivariate":
      return (record) => {
        const values = paths.map((path) => numberOf(fieldAt(record, path)));
        return values.includes(undefined) ? undefined : values;
      };
    default:
      return (record) => numberOf(fieldAt(record, first));
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function categoryOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
