export interface ProgressBar {
  /** `done` of `total` bytes (null: nobody knows) and what to say of it. */
  update(done: number, total: number | null, text: string): void;
  /** Removes the bar. */
  clear(): void;
}

/** Shorter work needs no bar. */
const quietMillis = 500;
const redrawMillis = 100;
const barCells = 24;

export interface ProgressBarOptions {
  readonly stream?: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write">;
  /** Milliseconds from any start. */
  readonly now?: () => number;
}

/** A bar on stderr, drawn only when stderr is a terminal and the work takes a while. */
export function progressBar({
  stream = process.stderr,
  now = () => performance.now(),
}: ProgressBarOptions = {}): ProgressBar {
  if (stream.isTTY !== true) return { update: () => undefined, clear: () => undefined };
  const startedAt = now();
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    update(done, total, text) {
      const at = now();
      if (at - startedAt < quietMillis || at - drawnAt < redrawMillis) return;
      drawnAt = at;
      const line = total === null ? text : `${bar(total === 0 ? 1 : done / total)} ${text}`;
      stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
    },
    clear() {
      if (drawnAt < startedAt) return;
      stream.write("\r\u001b[2K");
      drawnAt = Number.NEGATIVE_INFINITY;
    },
  };
}

function bar(share: number): string {
  const full = Math.round(Math.min(share, 1) * barCells);
  return `[${"#".repeat(full)}${"-".repeat(barCells - full)}] ${String(Math.floor(Math.min(share, 1) * 100)).padStart(3)} %`;
}
