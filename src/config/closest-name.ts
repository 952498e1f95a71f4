/** The known name that was probably meant: differs by case or separators, or by at most a third of its letters. Null when none is near. */
export function closestName(name: string, known: readonly string[]): string | null {
  const plain = plainName(name);
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(plain, plainName(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : null;
}

/** " Did you mean X?" or, when none is near, what there is. */
export function suggestion(name: string, known: readonly string[]): string {
  const closest = closestName(name, known);
  if (closest !== null) return `did you mean ${JSON.stringify(closest)}?`;
  return known.length === 0 ? "there is none." : `known: ${known.slice(0, 20).join(", ")}.`;
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, "");
}

/** Levenshtein's distance, two rows at a time. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
