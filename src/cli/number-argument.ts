import { InvalidArgumentError } from "commander";

/** Parses an option that is a number of a range, whole or not; commander says the rest when it is not. */
export function numberArgument({ min, max }: { readonly min: number; readonly max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d*\.?\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}
