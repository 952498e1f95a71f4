import { visibleText } from "./visible-text.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Never cut: what somebody copies. */
  readonly whole?: boolean;
}

const gap = "  ";

/**
 * Rows under titles, every cell made safe for a terminal. Too wide for `width`: the widest columns are cut, and a cut cell ends
 * with "…".
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(visibleText))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => displayWidth(row[column] ?? ""))));
  shrink(columns, widths, width - gap.length * (columns.length - 1));
  return cells
    .map((row) =>
      columns
        .map(({ align }, column) => fit(row[column] ?? "", widths[column] ?? 0, align ?? "left"))
        .join(gap)
        .trimEnd(),
    )
    .join("\n");
}

const columnWidthMin = 6;

/** Takes from the widest until all fit, so that one long text never hides the short columns. */
function shrink(columns: readonly Column[], widths: number[], width: number): void {
  const cuttable = widths.map((_, column) => column).filter((column) => columns[column]?.whole !== true);
  for (let total = widths.reduce((sum, one) => sum + one, 0); total > width; total--) {
    const widest = cuttable.reduce(
      (left, right) => ((widths[right] ?? 0) > (widths[left] ?? 0) ? right : left),
      cuttable[0] ?? 0,
    );
    const most = widths[widest] ?? 0;
    if (cuttable.length === 0 || most <= columnWidthMin) return;
    widths[widest] = most - 1;
  }
}

function fit(text: string, width: number, align: "left" | "right"): string {
  const missing = width - displayWidth(text);
  if (missing >= 0) return align === "left" ? text + " ".repeat(missing) : " ".repeat(missing) + text;
  let cut = "";
  for (const { segment } of graphemes.segment(text)) {
    if (displayWidth(cut + segment) >= width) break;
    cut += segment;
  }
  return `${cut}…${" ".repeat(Math.max(0, width - displayWidth(cut) - 1))}`;
}

const graphemes = new Intl.Segmenter();

/** Columns on a terminal: East Asian wide characters and emoji take two. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width +=
      /^(?:\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u.test(
        segment,
      )
        ? 2
        : 1;
  }
  return width;
}
