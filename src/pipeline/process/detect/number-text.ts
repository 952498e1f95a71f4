/** A number for people: at most 4 significant decimals, without the tail of binary fractions (0.30000000000000004). */
export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return String(Number(value.toPrecision(Math.abs(value) >= 1000 ? 7 : 4)));
}
