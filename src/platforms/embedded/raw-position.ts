import type { RawMeta } from "../../model/raw-object.ts";

/** A place in the raw log: segments count up, offsets are bytes within one. */
export interface RawPosition {
  readonly segment: number;
  readonly offset: number;
}

/** Negative, zero or positive, as `a` lies before, at or after `b`. */
export function comparePositions(a: RawPosition, b: RawPosition): number {
  return a.segment - b.segment || a.offset - b.offset;
}

export function segmentName(segment: number): string {
  return `${segment.toString(16).padStart(8, "0")}.log`;
}

export function segmentOfName(name: string): number | null {
  return /^[0-9a-f]{8}\.log$/.test(name) ? Number.parseInt(name.slice(0, 8), 16) : null;
}

/** `raw/{stream}/{yyyy}/{mm}/{dd}/{segment}-{offset}`: laid out like the keys in S3, and the place needs no index. */
export function rawKey(meta: Pick<RawMeta, "stream" | "receivedAt">, position: RawPosition): string {
  const day = new Date(meta.receivedAt).toISOString().slice(0, 10).replaceAll("-", "/");
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  return `raw/${meta.stream}/${day}/${hex(position.segment)}-${hex(position.offset)}`;
}

/** Null for keys that do not lie in the log (an uploaded file is an object of its own). */
export function rawPosition(key: string): RawPosition | null {
  const match = /\/([0-9a-f]{8})-([0-9a-f]{8})$/.exec(key);
  return match === null
    ? null
    : { segment: Number.parseInt(match[1] as string, 16), offset: Number.parseInt(match[2] as string, 16) };
}
