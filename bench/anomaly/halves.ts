/** Every second one from the first, and the others: of series by name, one half to tune on and one to report. */
export function halves<T>(all: readonly T[]): { readonly first: readonly T[]; readonly second: readonly T[] } {
  return { first: all.filter((_, index) => index % 2 === 0), second: all.filter((_, index) => index % 2 === 1) };
}
