import { InvalidArgumentError } from "commander";

const unitMillis: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses `--from` and `--to`: an RFC 3339 time or date, `now`, or how long ago (`30s`, `15m`, `2h`, `7d`). Answers in RFC 3339, UTC. */
export function timeArgument(text: string): string {
  if (text === "now") return new Date().toISOString();
  const ago = /^(\d{1,6})([smhd])$/.exec(text);
  if (ago !== null) return new Date(Date.now() - Number(ago[1]) * (unitMillis[ago[2] ?? ""] ?? 0)).toISOString();
  const time = /^\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? new Date(text) : null;
  if (time === null || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError(
      "It must be a time like 2026-11-16T06:00:00Z, a date, now, or an age like 15m, 2h, 7d.",
    );
  }
  return time.toISOString();
}
