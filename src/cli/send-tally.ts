import type { ErrorDetail } from "../model/error.ts";
import { progressBar } from "./progress-bar.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

/** What `eventpulse send --json` prints. `sent = accepted + refused`. */
export interface SendSummary {
  readonly sent: number;
  /** Durable, the invalid ones among them too: they wait in the failure log. */
  readonly accepted: number;
  /** Broke their contract or could not be read. */
  readonly invalid: number;
  /** Of the invalid: kept nowhere. */
  readonly refused: number;
  readonly requests: number;
  readonly seconds: number;
}

export interface Place {
  readonly file: string;
  /** From 1; null for a whole file. */
  readonly line: number | null;
}

/** Counts a sending over all its files and shows how far it is. */
export interface SendTally {
  add(change: { readonly sent?: number; readonly accepted?: number; readonly requests?: number }): void;
  /** Names an invalid event on stderr. */
  invalid(place: Place, kept: boolean, errors: readonly ErrorDetail[]): void;
  /** Bytes that have been read. */
  read(bytes: number): void;
  summary(): SendSummary;
}

/** Invalid events named one by one; a file of the wrong kind would fill the screen and hide the summary. */
const invalidNamedMax = 100;

export function sendTally(terminal: Terminal, bytesTotal: number | null): SendTally {
  const startedAt = performance.now();
  const bar = progressBar();
  const totals = { sent: 0, accepted: 0, invalid: 0, refused: 0, requests: 0 };
  let bytes = 0;
  const seconds = () => (performance.now() - startedAt) / 1000;
  const show = () => {
    const rate = Math.round(totals.sent / Math.max(seconds(), 0.001));
    const invalid = totals.invalid === 0 ? "" : `, ${count(totals.invalid)} invalid`;
    bar.update(bytes, bytesTotal, `${count(totals.sent)} events${invalid}, ${count(rate)}/s`);
  };
  return {
    add({ sent = 0, accepted = 0, requests = 0 }) {
      totals.sent += sent;
      totals.accepted += accepted;
      totals.requests += requests;
      show();
    },
    invalid({ file, line }, kept, errors) {
      totals.invalid += 1;
      if (!kept) totals.refused += 1;
      if (totals.invalid > invalidNamedMax) return;
      bar.clear();
      const reasons = errors
        .map(({ pointer, detail }) => (pointer === "" ? detail : `${pointer} ${detail}`))
        .join("; ");
      const where = line === null ? file : `${file}:${line}`;
      terminal.say(visibleText(`${where}: ${reasons}${kept ? "" : " (refused, not kept)"}`));
      if (totals.invalid === invalidNamedMax) terminal.say("More invalid events are counted, not named.");
    },
    read(more) {
      bytes += more;
      show();
    },
    summary() {
      bar.clear();
      return { ...totals, seconds: Math.round(seconds() * 1000) / 1000 };
    },
  };
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}
