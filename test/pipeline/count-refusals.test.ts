import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { countRefusals } from "../../src/pipeline/failures/count-refusals.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { streamOf } from "./stream-of.ts";

const contract = (schema: z.ZodType) => compileContract(streamOf(schema, { pii: ["email"] }));
const lines = z.array(z.object({ n: z.number() }));
const before = contract(z.object({ total: z.number(), lines: lines.optional() }));
const after = contract(
  z.object({ total: z.number().max(10), lines: z.array(z.object({ n: z.number().min(1) })).optional() }),
);

describe("counting what a contract refuses", () => {
  test("counts each event once by its first reason, the most frequent first, and what was refused before apart", async () => {
    const events = [
      { total: 1 },
      { total: 20, lines: [{ n: 0 }] },
      { total: 5, lines: [{ n: 3 }, { n: 0 }] },
      { total: 5, lines: [{ n: 0 }] },
      { total: 5, lines: [{ n: 0 }] },
      { total: "many" },
      null,
    ];
    const result = await countRefusals(after, before.jsonSchema, events);
    assert.deepEqual([result.tried, result.refused, result.refusedBefore], [7, 4, 2]);
    assert.deepEqual(
      result.reasons.map(({ pointer, count }) => [pointer, count]),
      [
        ["/lines/*/n", 3],
        ["/total", 1],
      ],
    );
    assert.match(result.reasons[1]?.detail ?? "", /at most 10/);
  });

  test("takes all events to have been valid where nothing is known of the contract before", async () => {
    assert.equal((await countRefusals(after, null, [{ total: "many" }])).refused, 1);
  });

  test("waits for contracts that judge later, and takes events that come one by one", async () => {
    const late = contract(z.object({ n: z.number().refine(async (n) => n < 2) }));
    async function* events() {
      yield* [{ n: 1 }, { n: 2 }, { n: 3 }];
    }
    assert.equal((await countRefusals(late, null, events())).refused, 2);
  });
});
