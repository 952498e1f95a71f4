import { readFileSync } from "node:fs";
import { relative } from "node:path";
import type { ErrorDetail } from "../model/error.ts";
import { type CallSite, placeOf } from "./call-site.ts";
import { findProperty } from "./find-property.ts";

/** Where something is in the config. */
export interface Spot {
  readonly site: CallSite;
  /** Names that lead to it in the options of that call; empty for the call itself. */
  readonly path: readonly string[];
  /** What it is called in messages: `streams.orders.retention`. */
  readonly label: string;
}

/** Part of what is at a spot. */
export function inside(spot: Spot, name: string): Spot {
  return { site: spot.site, path: [...spot.path, name], label: spot.label === "" ? name : `${spot.label}.${name}` };
}

/** Collects everything that is wrong with a config, each with file and line. */
export class Problems {
  readonly #found: { readonly file: string; readonly line: number; readonly text: string }[] = [];
  readonly #sources = new Map<string, string | null>();

  /** `text`: what is wrong, and what to do. Starts with a small letter. */
  add(spot: Spot, text: string): void {
    const place = placeOf(spot.site);
    const source = place === null ? null : this.#sourceOf(place.file);
    const line = place === null ? 0 : source === null ? place.line : findProperty(source, place, spot.path);
    this.addAt(place?.file ?? "", line, spot.label === "" ? text : `${spot.label}: ${text}`);
  }

  addAt(file: string, line: number, text: string): void {
    this.#found.push({ file, line, text });
  }

  get count(): number {
    return this.#found.length;
  }

  /** In the order of the files' lines: `eventpulse.config.ts:12: streams.orders.retention: …`. */
  details(): readonly ErrorDetail[] {
    return this.#found
      .toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
      .map(({ file, line, text }) => {
        const where = file === "" ? "" : `${shortPath(file)}${line > 0 ? `:${line}` : ""}: `;
        return { pointer: "", code: "CONFIG_INVALID", detail: where + text };
      });
  }

  #sourceOf(file: string): string | null {
    const known = this.#sources.get(file);
    if (known !== undefined) return known;
    let source: string | null = null;
    try {
      source = readFileSync(file, "utf8");
    } catch {
      // The place is shown without the line of the property then.
    }
    this.#sources.set(file, source);
    return source;
  }
}

/** Relative to the working folder when it lies in it. */
export function shortPath(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith("..") ? file : short;
}
