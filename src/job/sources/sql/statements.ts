/** Composes the statements that are the same in every dialect. Pure. */
import { deletedLast, rowsWithin } from './deleted-rows.ts';
import type { Grammar, Part, Selection } from './dialect.ts';

const EVERYTHING: Part = { since: null, after: null };

/** Counts the rows of a part, and those of them that have an id. */
export function countStatement(of: Selection, part: Part, grammar: Grammar): string {
  return `SELECT count(*), count(${grammar.id(of.id)}) FROM ${of.from} ${where(of, part, grammar)}`;
}

/** Selects those of the ids that still exist. */
export function foundStatement(of: Selection, ids: readonly string[], grammar: Grammar): string {
  const key = grammar.bytes(grammar.id(of.id));
  const list = ids.map((id) => grammar.bytes(grammar.text(id))).join(', ');
  return `SELECT ${grammar.id(of.id)} AS id FROM ${of.from} ${where(of, EVERYTHING, grammar, [`${key} IN (${list})`])}`;
}

/** Selects `what` of each row of a part, in byte order of the ids. */
export function listStatement(
  of: Selection,
  part: Part,
  grammar: Grammar,
  { what, join = '' }: { what: readonly string[]; join?: string },
): string {
  const order = [grammar.bytes(grammar.id(of.id)), ...deletedLast(of, part, grammar)].join(', ');
  return `SELECT ${what.join(', ')} FROM ${of.from} ${join} ${where(of, part, grammar)} ORDER BY ${order}`;
}

function where(
  of: Selection,
  { since, after }: Part,
  grammar: Grammar,
  more: readonly string[] = [],
): string {
  const conditions = [...(grammar.always ?? []), ...more];
  conditions.push(...rowsWithin(of, since, grammar));
  if (after !== null)
    conditions.push(`${grammar.bytes(grammar.id(of.id))} > ${grammar.bytes(grammar.text(after))}`);
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}
