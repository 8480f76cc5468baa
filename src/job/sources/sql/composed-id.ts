/**
 * Composes an id of several columns: `|` joins them; `%` and `|` within a value are written as in a URL, so that no two ids
 * are equal.
 */

/** @param texts the columns as text @param join joins texts; null if one of them is null */
export function composedId(texts: readonly string[], join: (parts: readonly string[]) => string): string {
  const [only = '', ...more] = texts;
  if (more.length === 0) return only;
  return join(texts.map((text) => `replace(replace(${text}, '%', '%25'), '|', '%7C')`));
}
