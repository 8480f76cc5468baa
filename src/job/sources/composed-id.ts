/**
 * Composes an id of several columns: `|` joins them; `%` and `|` within a value are written as in a URL, so that no two ids
 * are equal.
 */

/** Writes it in SQL. @param texts the columns as text @param join joins texts; null if one of them is null */
export function composedId(texts: readonly string[], join: (parts: readonly string[]) => string): string {
  const [only = '', ...more] = texts;
  if (more.length === 0) return only;
  return join(texts.map((text) => `replace(replace(${text}, '%', '%25'), '|', '%7C')`));
}

/** @returns null if one of the texts is null */
export function composeId(texts: readonly (string | null)[]): string | null {
  const [only = null, ...more] = texts;
  if (more.length === 0) return only;
  if (texts.includes(null)) return null;
  return texts.map((text) => (text ?? '').replaceAll('%', '%25').replaceAll('|', '%7C')).join('|');
}
