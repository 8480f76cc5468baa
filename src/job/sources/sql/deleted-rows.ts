/** Lists rows that are deleted (SOURCE_DELETED_AT) beside changed ones, so that a delta can remove their records. Pure. */
import { type Grammar, OTHERS, type Part, type Selection } from './dialect.ts';

/** Whether a part also lists rows that were deleted: a listing of everything tells deletions by what it lacks. */
function listsDeleted(
  of: Selection,
  { since }: Pick<Part, 'since'>,
): of is Selection & { readonly [column in 'updatedAt' | 'deletedAt']: NonNullable<Selection[column]> } {
  return since !== null && of.updatedAt !== null && of.deletedAt !== null;
}

/** Conditions on rows that are not deleted, or were deleted since then. */
export function rowsWithin(of: Selection, since: Date | null, grammar: Grammar): string[] {
  const { updatedAt, deletedAt } = of;
  const changed = updatedAt && since !== null ? [grammar.changedSince(updatedAt, since)] : [];
  if (!deletedAt) return changed;
  const live = [`q.${grammar.name(deletedAt.name)} IS NULL`, ...changed];
  if (since === null || !listsDeleted(of, { since })) return live;
  return [`((${live.join(' AND ')}) OR (${deletedWithin(of, since, grammar)}))`];
}

/** A deletion may leave the time of the last change as it is. */
function deletedWithin(of: Selection, since: Date, grammar: Grammar): string {
  const { id, updatedAt, deletedAt, others } = of;
  if (updatedAt === null || deletedAt === null) return 'FALSE';
  const at = deletedAt.holds === 'time' ? [grammar.changedSince(deletedAt, since)] : [];
  const named = id.map(({ name }) => `q.${grammar.name(name)} IS NOT NULL`);
  return [
    `q.${grammar.name(deletedAt.name)} IS NOT NULL`,
    `(${[grammar.changedSince(updatedAt, since), ...at].join(' OR ')})`,
    ...named,
    // The record lives on in another row.
    `NOT EXISTS (SELECT 1 FROM ${others} WHERE ${OTHERS}.${grammar.name(deletedAt.name)} IS NULL AND ${sameId(of, grammar)})`,
  ].join(' AND ');
}

function sameId({ id }: Selection, grammar: Grammar): string {
  return id
    .map((column) => {
      const [one, other] = ['q', OTHERS].map((alias) => `${alias}.${grammar.name(column.name)}`) as [
        string,
        string,
      ];
      return grammar.same?.(column, one, other) ?? `${other} = ${one}`;
    })
    .join(' AND ');
}

/** Sorts rows of one id: a deleted one never comes before another. */
export function deletedLast(of: Selection, part: Part, { name }: Grammar): string[] {
  return listsDeleted(of, part) ? [`CASE WHEN q.${name(of.deletedAt.name)} IS NULL THEN 0 ELSE 1 END`] : [];
}

/** When a row was deleted: null if it is not, empty if its column tells no time. @param timeOf a time as text */
export function deletedText(
  of: Selection,
  part: Part,
  { name, timeOf }: { name: Grammar['name']; timeOf: (column: string) => string },
): string {
  if (!listsDeleted(of, part)) return 'NULL';
  const { deletedAt } = of;
  const column = `q.${name(deletedAt.name)}`;
  const at = deletedAt.holds === 'time' ? `coalesce(${timeOf(column)}, '')` : `''`;
  return `CASE WHEN ${column} IS NULL THEN NULL ELSE ${at} END`;
}
