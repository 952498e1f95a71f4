import type { StandardSchema } from "../model/definition.ts";

/** What a schema takes. */
export type InputOf<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["input"];
/** What a schema gives. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["output"];

/** The record that a transform's result becomes: awaited, one element of an array, without the null that drops an event. */
export type RecordOf<Returned> = unknown extends Returned ? unknown : Single<Awaited<Returned>>;
type Single<Result> = Result extends readonly (infer Element)[]
  ? NonNullable<Element>
  : Result extends null | undefined
    ? never
    : Result;

/** Levels that dotted paths are spelled out for; recursive types would have no end. */
type DepthMax = 5;
type Leaf = string | number | boolean | bigint | symbol | null | undefined | Date | ((...values: never[]) => unknown);

/**
 * Dotted paths in `Value` to what is a `Wanted` (or absent). Of a union, the paths of all its members. Where a type is unknown
 * or open (`Record<string, …>`), any text. `ThroughLists`: `people.email` is the email of every element of `people`.
 */
type Path<Value, Wanted, ThroughLists extends boolean, Depth extends readonly unknown[] = []> = unknown extends Value
  ? string
  : Depth["length"] extends DepthMax
    ? never
    : Value extends Leaf
      ? never
      : Value extends readonly (infer Element)[]
        ? ThroughLists extends true
          ? Path<NonNullable<Element>, Wanted, ThroughLists, [...Depth, unknown]>
          : never
        : {
            [Name in keyof Value & string]-?:
              | (IsWanted<Value[Name], Wanted> extends true ? Name : never)
              | (unknown extends Value[Name]
                  ? `${Name}.${string}`
                  : `${Name}.${Path<NonNullable<Value[Name]>, Wanted, ThroughLists, [...Depth, unknown]>}`);
          }[keyof Value & string];

type IsWanted<Value, Wanted> = unknown extends Value
  ? true
  : [NonNullable<Value>] extends [never]
    ? false
    : [NonNullable<Value>] extends [Wanted]
      ? true
      : false;

/** A field of a record that holds one value. */
export type Column<Value> = Path<Value, string | number | boolean, false>;
/** A field of a record that holds a number. */
export type NumericColumn<Value> = Path<Value, number, false>;
/** A field of an event that can identify it or say its time. */
export type IdentityColumn<Value> = Path<Value, string | number, false>;
/** Any field of an event, whole objects and fields of list elements included. */
export type AnyColumn<Value> = Path<Value, unknown, true>;
