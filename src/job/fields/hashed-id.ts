/** Finds a rule that hashes a column of which the id is made: the id would still show the value. Pure. */
import type { Rule } from './parse-rules.ts';

/** @param id names of the columns @returns the first such rule, with the column that its field comes from */
export function hashedId(
  rules: readonly Rule[],
  id: readonly string[],
): { readonly place: string; readonly column: string } | null {
  /** Columns of the id by the name that their field has so far. */
  const columns = new Map(id.map((name) => [name, name]));
  for (const rule of rules) {
    const column = columns.get(rule.field);
    if (column === undefined) continue;
    if (rule.does === 'hash') return { place: rule.place, column };
    columns.delete(rule.field);
    if (rule.does === 'rename') columns.set(rule.to, column);
  }
  return null;
}
