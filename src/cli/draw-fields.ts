import { fieldText } from "./field-text.ts";
import { visibleText } from "./visible-text.ts";

/** One indented line a field, names lined up, without those that say nothing. */
export function drawFields(fields: readonly (readonly [string, unknown])[]): string[] {
  const rows = fields.map(([name, value]) => [name, fieldText(value)] as const).filter(([, text]) => text !== "");
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${visibleText(name).padEnd(width)}  ${visibleText(text)}`);
}
