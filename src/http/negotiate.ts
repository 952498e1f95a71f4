/**
 * The one of `types` that an Accept header (RFC 9110, section 12.5.1) prefers; the first when there is no header, when it fits
 * several alike, or when it fits none: an answer in JSON helps more than a 406.
 */
export function negotiate<const Type extends string>(accept: string | null, types: readonly [Type, ...Type[]]): Type {
  let best: Type = types[0];
  let bestQuality = 0;
  if (accept === null) return best;
  const ranges = accept.split(",").map(parseRange);
  for (const type of types) {
    const [main] = type.split("/");
    const exact =
      ranges.find(({ range }) => range === type) ??
      ranges.find(({ range }) => range === `${main}/*`) ??
      ranges.find(({ range }) => range === "*/*");
    if (exact !== undefined && exact.quality > bestQuality) {
      best = type;
      bestQuality = exact.quality;
    }
  }
  return best;
}

function parseRange(text: string): { readonly range: string; readonly quality: number } {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  return { range, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 };
}
