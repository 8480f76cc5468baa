/** Finds the known names that somebody may have meant by a mistyped one. */

/** At most three, the nearest first; names with little in common are left out. */
export function nearest(wanted: string, known: readonly string[]): string[] {
  const limit = Math.max(3, Math.ceil(wanted.length / 3));
  return [...new Set(known)]
    .map((name) => ({ name, away: distance(wanted.slice(0, 80), name) }))
    .filter(({ name, away }) => away <= limit || (wanted.length > 2 && name.includes(wanted)))
    .toSorted((a, b) => a.away - b.away || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** The end of an error message, `; did you mean a or b?`; empty when no known name is close. */
export function didYouMean(wanted: string, known: readonly string[]): string {
  const names = nearest(wanted, known);
  return names.length > 0 ? `; did you mean ${names.join(' or ')}?` : '';
}

/** Levenshtein's algorithm. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
