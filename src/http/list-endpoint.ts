import type { z } from "zod";
import type { Page, PageRequest } from "../model/page.ts";
import { pageOf } from "./described.ts";
import { type Call, type Endpoint, endpoint, type TypedDocument } from "./endpoint.ts";
import { checkRange, pageParameters, type Shape } from "./parameters.ts";
import { respondPage } from "./respond.ts";

/** A list as its document differs from that of other lists. */
type ListDocument<Params extends Shape, Query extends Shape> = Pick<
  TypedDocument<Params, Query>,
  "path" | "operationId" | "summary" | "description" | "tag" | "params" | "query" | "conditions" | "problems"
>;

/** What the rows of a list are. `name`: the page in the document, `words`: the rows in prose. */
export interface ListRows<Row> {
  readonly name: string;
  readonly words: string;
  readonly schema: z.ZodType;
  readonly example: unknown;
  /** One row as JSON text. */
  readonly json: (row: Row, call: Call<Shape, Shape>) => string;
}

/** The query of a list as the ports take it: null where a filter was left out. */
export type ListQuery<Query extends Shape> = PageRequest & { readonly tenant: string } & {
  readonly [Name in keyof Query]: undefined extends z.output<Query[Name]>
    ? Exclude<z.output<Query[Name]>, undefined> | null
    : z.output<Query[Name]>;
};

/** An operation that answers one page of rows: parameters, problems and form of the answer are the same for every list. */
export function listEndpoint<const Params extends Shape, const Query extends Shape, Row>(
  document: ListDocument<Params, Query>,
  rows: ListRows<Row>,
  find: (call: Call<Params, Shape>, query: ListQuery<Query>) => Promise<Page<Row>>,
): Endpoint {
  const filters = Object.keys(document.query ?? {});
  return endpoint<Params, Shape>(
    {
      ...document,
      method: "GET",
      query: { ...document.query, ...pageParameters },
      responses: {
        200: {
          description: `A page of ${rows.words}.`,
          headers: { Link: 'The next page, `rel="next"`.' },
          content: {
            "application/json": {
              schema: pageOf(rows.name, `A page of ${rows.words}.`, rows.schema),
              example: { data: [rows.example], page: { next: null, limit: 100 } },
            },
          },
        },
      },
      problems: ["CURSOR_INVALID", ...(document.problems ?? [])],
    },
    async (call) => {
      const given = call.query as Readonly<Record<string, unknown>>;
      const asked = Object.fromEntries(filters.map((name) => [name, given[name] ?? null]));
      checkRange(asked["from"] as number | null, asked["to"] as number | null);
      const { limit, cursor } = call.query as { limit: number; cursor?: string };
      const query = { ...asked, tenant: call.principal.tenant, limit, cursor: cursor ?? null };
      const page = await find(call, query as unknown as ListQuery<Query>);
      const json = page.rows.map((row) => rows.json(row, call));
      return respondPage(call, call.request, json, { next: page.next, limit });
    },
  );
}
