/** Chooses the columns of a table, and says where its rows come from. */
import { JobError } from '../../job-error.ts';
import { chooseColumns, type Column, namedColumn } from '../columns.ts';
import { type Grammar, OTHERS, type Selection } from './dialect.ts';
import type { SqlFrom, SqlSettings } from './sql-settings.ts';

/** Types of flags, which are false in rows that are not deleted. */
const FLAGS: ReadonlySet<string> = new Set(['boolean', 'TINYINT', 'BIT']);

/** The text behind FROM. A newline ends a comment in the last line of a SELECT. */
export function fromClause(from: SqlFrom, { name }: Grammar, alias = 'q'): string {
  return 'query' in from ? `(${from.query}\n) ${alias}` : `${from.table.map(name).join('.')} ${alias}`;
}

/** The table, or the setting of the SELECT, as it appears in logs and errors. */
export function placeOf(from: SqlFrom): string {
  return 'query' in from ? 'SOURCE_QUERY' : from.table.join('.');
}

/** @throws JobError `notConfigured` */
export function select(settings: SqlSettings, columns: readonly Column[], grammar: Grammar): Selection {
  const { from, deletedAt } = settings;
  const place = placeOf(from);
  const chosen = chooseColumns({ ...settings, place, mend: 'in SOURCE_QUERY' }, columns);
  const deleted = deletedAt === null ? null : namedColumn('SOURCE_DELETED_AT', deletedAt, { place }, columns);
  if (deleted && FLAGS.has(deleted.type)) {
    throw new JobError(
      'notConfigured',
      `SOURCE_DELETED_AT: the column ${deleted.name} of ${place} has the type ${deleted.type}, and every value in it, even false, would ` +
        `count as deleted; leave such rows out with SOURCE_QUERY`,
    );
  }
  const fields = chosen.fields.filter(({ name }) => name !== deletedAt);
  return {
    ...chosen,
    from: fromClause(from, grammar),
    others: fromClause(from, grammar, OTHERS),
    deletedAt: deleted,
    fields,
  };
}
