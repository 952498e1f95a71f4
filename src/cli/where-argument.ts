import { InvalidArgumentError } from "commander";
import { type Condition, type ConditionOperator, conditionOperators } from "../model/page.ts";

const symbols: Readonly<Record<string, ConditionOperator>> = {
  "=": "eq",
  "!=": "ne",
  ">": "gt",
  ">=": "gte",
  "<": "lt",
  "<=": "lte",
};

/** Parses one `--where`: `field operator value`, also as `total>=100`. The value is everything after the operator's blank, unchanged. */
export function whereArgument(text: string, before: readonly Condition[] = []): readonly Condition[] {
  const worded = /^(\S+) (\S+)(?: ([\s\S]*))?$/.exec(text);
  const operator = conditionOperators.find((one) => one === worded?.[2]) ?? symbols[worded?.[2] ?? ""];
  if (worded?.[1] !== undefined && operator !== undefined) {
    return [...before, { field: worded[1], operator, value: worded[3] ?? (operator === "exists" ? "true" : "") }];
  }
  const tight = /^([^\s<>=!]+)(>=|<=|!=|=|>|<)([\s\S]*)$/.exec(text);
  const symbol = symbols[tight?.[2] ?? ""];
  if (tight?.[1] !== undefined && symbol !== undefined) {
    return [...before, { field: tight[1], operator: symbol, value: tight[3] ?? "" }];
  }
  const operators = conditionOperators.join(", ");
  throw new InvalidArgumentError(`It must be "field operator value"; operators: ${operators}, and = != > >= < <=.`);
}

/** `where[total][gte]=100`, as the API takes it. */
export function whereQuery(conditions: readonly Condition[]): Record<string, string[]> {
  const query: Record<string, string[]> = {};
  for (const { field, operator, value } of conditions) {
    const name = `where[${field}][${operator}]`;
    query[name] = [...(query[name] ?? []), value];
  }
  return query;
}
