import { Ajv2020 } from "ajv/dist/2020.js";
import type { ErrorDetail } from "../../model/error.ts";
import { causePointer } from "../../model/identity.ts";
import { ajvOptions } from "../process/compile-contract.ts";
import type { Contract } from "../process/contract.ts";
import type { JsonSchema } from "./compare-contracts.ts";

/** Why events are refused. */
export interface RefusalReason extends Pick<ErrorDetail, "code" | "pointer" | "detail"> {
  /** Events of which it is the first reason. */
  readonly count: number;
}

/** What a contract says of many events. */
export interface Refusals {
  readonly tried: number;
  /** Refused now, and not before. */
  readonly refused: number;
  /** Refused before and now: failures that wait for a fix. */
  readonly refusedBefore: number;
  /** Most frequent first, of those refused now; at most 20. Pointers with `*` for array indexes. */
  readonly reasons: readonly RefusalReason[];
}

const reasonsMax = 20;

/**
 * Judges events with a contract, and counts those that it refuses although the contract before took them, of which only the
 * JSON Schema is known (null: nothing is, and all events are taken to have been valid). What a schema checks in code of its
 * own is not in its JSON Schema: an event that such a check refused before counts as refused now.
 */
export async function countRefusals(
  contract: Contract,
  before: JsonSchema | null,
  events: AsyncIterable<unknown> | Iterable<unknown>,
): Promise<Refusals> {
  const wasValid = before === null ? () => true : new Ajv2020(ajvOptions).compile(before);
  const reasons = new Map<string, { -readonly [Name in keyof RefusalReason]: RefusalReason[Name] }>();
  const counts = { tried: 0, refused: 0, refusedBefore: 0 };
  for await (const event of events) {
    counts.tried++;
    const judgement = await contract.judge(event);
    if (judgement.ok) continue;
    if (!wasValid(event)) {
      counts.refusedBefore++;
      continue;
    }
    counts.refused++;
    const { code = "CONTRACT_BROKEN", detail = "does not fit the contract" } = judgement.errors[0] ?? {};
    const pointer = causePointer(judgement.errors);
    const known = reasons.get(`${code} ${pointer}`);
    if (known === undefined) reasons.set(`${code} ${pointer}`, { code, pointer, detail, count: 1 });
    else known.count++;
  }
  const sorted = [...reasons.values()].sort((left, right) => right.count - left.count);
  return { ...counts, reasons: sorted.slice(0, reasonsMax) };
}
