/** One page of a list in stable order. `next` is null on the last page; a page may hold fewer rows than asked and still have a next. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Opaque to all but the adapter that made it. */
  readonly next: string | null;
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor: string | null;
}

export type Order = "asc" | "desc";

/** `where[total][gte]=100`: a dotted path into the data, an operator, a value as text. */
export interface Condition {
  readonly field: string;
  readonly operator: ConditionOperator;
  readonly value: string;
}
export type ConditionOperator = "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "contains" | "exists";
export const conditionOperators = [
  "eq",
  "ne",
  "gt",
  "gte",
  "lt",
  "lte",
  "contains",
  "exists",
] as const satisfies readonly ConditionOperator[];
