import type { ErrorDetail } from "../../model/error.ts";
import type { FailureDraft } from "../../model/failure.ts";
import type { Notification, NotificationDraft } from "../../model/notification.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { RawFormat } from "../../model/raw-object.ts";
import { uploadFileName } from "../ingest/upload-metadata.ts";
import { noticeId } from "./notice-id.ts";
import { oneLine } from "./one-line.ts";

/** Reasons that a notice lists; the rest is counted. */
const reasonsListedMax = 10;
/** Ranges of rows named for one reason ("3", "7 to 12"); the rest is counted. */
const rangesListedMax = 8;

/** 9999-12-31. A retention may be longer than dates go; a notice that throws would end processing. */
const lastDay = 253_402_214_400_000;

/** What one event of a file is called, by people who do not know the word. */
const unitOf = {
  csv: ["row", "rows"],
  ndjson: ["line", "lines"],
  json: ["entry", "entries"],
  cloudevent: ["entry", "entries"],
  "cloudevent-batch": ["entry", "entries"],
  "cloudevent-binary": ["entry", "entries"],
} as const satisfies Record<RawFormat, readonly [one: string, many: string]>;

/** Id of the notice of an uploaded file. */
export function uploadNoticeId(rawKey: string): string {
  return noticeId(`upload\n${rawKey}`);
}

/**
 * What the uploader of a file is told when events of it have failed: which rows, and why, in plain words. One notice per
 * file, decided with its first outcome; null when nothing failed in it, and for outcomes about anything else. It has no
 * destination: it is read in the inbox, and as `notice` of the upload.
 */
export function uploadNotice(outcome: Omit<Outcome, "notifications">): NotificationDraft | null {
  const { rawKey, meta, subject, failures, expiresAt } = outcome;
  if (meta.door !== "upload" || subject.kind !== "object" || failures.length === 0) return null;
  const fileName = uploadFileName(meta);
  const subjectLine = `${fileLabel(fileName)}: ${shareText(failures.length, meta.events, meta.format)} could not be taken`;
  return {
    id: uploadNoticeId(rawKey),
    tenant: meta.tenant,
    topic: "upload",
    stream: meta.stream,
    subject: subjectLine,
    text: [
      `${subjectLine}.`,
      "",
      ...reasonLines(failures, meta.format),
      "",
      ...adviceLines(failures, meta.format, meta.stream, expiresAt.failures),
    ].join("\n"),
    data: { stream: meta.stream, fileName, rawKey, events: meta.events, failed: failures.length },
    destinations: [],
    group: `upload:${rawKey}`,
    cooldownMillis: 0,
    incident: null,
  };
}

/** A file as it is now. */
export interface UploadedFile {
  readonly fileName: string;
  readonly format: RawFormat;
  readonly events: number;
  /** How many of its events are failures. */
  readonly failed: number;
}

/**
 * The notice as an upload shows it, with what came to light after it was decided: that an id is stored already with other
 * values, or that later attempts at an event have failed. Null when nothing failed.
 */
export function uploadNoticeText(
  notice: Pick<Notification, "text" | "data"> | null,
  { fileName, format, events, failed }: UploadedFile,
): string | null {
  const more = failed - Number(notice?.data["failed"] ?? 0);
  if (more <= 0) return notice?.text ?? null;
  const because =
    "their id is there already with other values, or a later attempt failed. Ask the owner of the stream.";
  return notice === null
    ? `${fileLabel(fileName)}: ${shareText(more, events, format)} could not be taken: ${because}`
    : `${notice.text}\n\n${numberText(more)} more could not be taken: ${because}`;
}

function fileLabel(fileName: string | null): string {
  return fileName === null ? "Your file" : oneLine(fileName, 100);
}

function reasonLines(failures: readonly FailureDraft[], format: RawFormat): readonly string[] {
  const rows = new Map<string, Set<number>>();
  for (const failure of failures) {
    for (const error of failure.errors) {
      const reason = plainReason(failure, error);
      const known = rows.get(reason) ?? new Set();
      rows.set(reason, known.add(rowOf(failure.index, format)));
    }
  }
  const [one, many] = unitOf[format];
  const reasons = [...rows].sort(([, a], [, b]) => b.size - a.size);
  const lines = reasons
    .slice(0, reasonsListedMax)
    .map(([reason, places]) => `- ${reason}: ${places.size === 1 ? one : many} ${placesText([...places])}`);
  const left = reasons.length - lines.length;
  return left === 0 ? lines : [...lines, left === 1 ? "- and 1 more reason" : `- and ${left} more reasons`];
}

/** As a spreadsheet counts: the header of a CSV file is row 1. */
function rowOf(index: number, format: RawFormat): number {
  return format === "csv" ? index + 2 : index + 1;
}

/** "3, 7 to 12 and 20"; past `rangesListedMax` ranges "3, 7 to 12, … and 480 more". `places` ascend. Two neighbours are no range. */
function placesText(places: readonly number[]): string {
  const ranges: { readonly first: number; last: number }[] = [];
  for (const [index, place] of places.entries()) {
    const range = ranges.at(-1);
    const continues = range?.last === place - 1 && (range.first < range.last || places[index + 1] === place + 1);
    if (range !== undefined && continues) range.last = place;
    else ranges.push({ first: place, last: place });
  }
  const listed = ranges.slice(0, rangesListedMax);
  const texts = listed.map(({ first, last }) =>
    first === last ? numberText(first) : `${numberText(first)} to ${numberText(last)}`,
  );
  const left = listed.reduce((sum, { first, last }) => sum - (last - first + 1), places.length);
  if (left > 0) texts.push(`${numberText(left)} more`);
  const final = texts.pop();
  return texts.length === 0 ? `${final}` : `${texts.join(", ")} and ${final}`;
}

/** What is wrong, without words of the trade and without the values themselves. */
function plainReason({ class: kind }: FailureDraft, { code, pointer, detail }: ErrorDetail): string {
  const name = oneLine(fieldName(pointer), 100);
  const subject = name === "" ? "it" : `"${name}"`;
  if (kind === "bug" || kind === "transient" || kind === "poison") return "the fault is not in the file";
  switch (code) {
    case "CONTRACT_BROKEN":
      return `${subject} ${plainDetail(detail)}`;
    case "KEY_MISSING":
      return `${subject} is missing or empty`;
    case "TIME_INVALID":
      return `${subject} is not a date and time such as 2026-01-31T12:00:00Z`;
    case "NUMBER_NOT_EXACT":
      return `${subject} has more digits than can be kept`;
    case "JSON_KEY_DUPLICATE":
      return `${subject} is there twice`;
    case "EVENT_NOT_OBJECT":
      return "it is not made of names with values";
    case "EVENT_TOO_LARGE":
      return "it is too large";
    case "JSON_TOO_DEEP":
      return "it is nested too deeply";
    case "JSON_INVALID":
      return "it is not valid JSON";
    default:
      return plainDetail(oneLine(detail, 200).replace(/\.$/, ""));
  }
}

/** `/items/3/price` is "items.price": which one of a list differs from row to row. */
function fieldName(pointer: string): string {
  return pointer
    .split("/")
    .filter((part) => part !== "" && !/^(?:\d+|\*)$/.test(part))
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .join(".");
}

/** Without what was found there: it differs from row to row, and the reader has the file. */
function plainDetail(detail: string): string {
  if (detail.startsWith("does not fit the contract")) return "is not what is expected there";
  if (detail.startsWith("fits none of the alternatives")) return "is not what is expected there";
  return oneLine(detail, 200)
    .replace(/, (?:is|has) [^"]*$/, "")
    .replace("is not a field of the contract", "is not expected")
    .replace("must match the pattern", "must have the form")
    .replaceAll("a string", "a text")
    .replaceAll("a boolean", "true or false")
    .replaceAll("an array", "a list");
}

function adviceLines(
  failures: readonly FailureDraft[],
  format: RawFormat,
  stream: string,
  keptUntil: number,
): readonly string[] {
  const many = unitOf[format][1];
  const counted = format === "csv" ? "The line of names is row 1; empty lines" : "Empty lines";
  const until = new Date(Math.min(keptUntil, lastDay)).toISOString().slice(0, 10);
  const kept = `They are kept as you sent them until ${until}.`;
  const yours = failures.some(({ class: kind }) => kind !== "bug" && kind !== "transient" && kind !== "poison");
  const ask = `the owner of "${stream}" to replay them`;
  return [
    format === "csv" || format === "ndjson" ? `${counted} do not count. ${kept}` : kept,
    yours
      ? `Correct these ${many} and upload them again, without the others; or ask ${ask}.`
      : `You need not change the file: ask ${ask} when the cause is gone.`,
  ];
}

/** "3 of 120 rows". */
function shareText(count: number, events: number, format: RawFormat): string {
  return `${numberText(count)} of ${unitText(events, format)}`;
}

function unitText(count: number, format: RawFormat): string {
  return `${numberText(count)} ${unitOf[format][count === 1 ? 0 : 1]}`;
}

function numberText(count: number): string {
  return count.toLocaleString("en-US");
}
