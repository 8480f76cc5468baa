/** Checks the columns that the settings name against those that exist, before any row is read. */
import { JobError } from '../../job-error.ts';
import type { Column, Grammar, Selection } from './dialect.ts';
import type { SqlFrom, SqlSettings } from './sql-settings.ts';

/** Fields that every record has; a column of that name must hold just this. */
const RESERVED = { id: 'SOURCE_ID', updated_at: 'SOURCE_UPDATED_AT' } as const;

/** Types of flags, which are false in rows that are not deleted. */
const FLAGS: ReadonlySet<string> = new Set(['boolean', 'TINYINT', 'BIT']);

const MOST_NAMED = 40;

/** The text behind FROM; `q` is its alias. A newline ends a comment in the last line of a SELECT. */
export function fromClause(from: SqlFrom, { name }: Grammar): string {
  return 'query' in from ? `(${from.query}\n) q` : `${from.table.map(name).join('.')} q`;
}

/** The table, or the setting of the SELECT, as it appears in logs and errors. */
export function placeOf(from: SqlFrom): string {
  return 'query' in from ? 'SOURCE_QUERY' : from.table.join('.');
}

/** @throws JobError `notConfigured` */
export function select(settings: SqlSettings, columns: readonly Column[], grammar: Grammar): Selection {
  const { from, id, updatedAt, deletedAt } = settings;
  const place = placeOf(from);
  const twice = columns.find(({ name }, at) => columns.findIndex((other) => other.name === name) < at);
  if (twice)
    throw wrong(`${place} has two columns named ${twice.name}; give one of them another name with AS`);
  const named = (setting: string, name: string): Column => {
    const column = columns.find((one) => one.name === name);
    if (column) return column;
    throw wrong(
      `${setting} names the column ${name}, which ${place} does not have; it has ${listed(columns)}`,
    );
  };
  const ids = id.map((name) => named('SOURCE_ID', name));
  const updated = updatedAt === null ? null : named('SOURCE_UPDATED_AT', updatedAt);
  const deleted = deletedAt === null ? null : named('SOURCE_DELETED_AT', deletedAt);
  if (updated && updated.holds !== 'time') {
    throw wrong(
      `SOURCE_UPDATED_AT: the column ${updated.name} of ${place} has the type ${updated.type}; name one that holds a date ` +
        'or a timestamp, or convert it in SOURCE_QUERY',
    );
  }
  if (deleted && FLAGS.has(deleted.type)) {
    throw wrong(
      `SOURCE_DELETED_AT: the column ${deleted.name} of ${place} has the type ${deleted.type}, and every value in it, even false, would ` +
        `count as deleted; leave such rows out with SOURCE_QUERY`,
    );
  }
  for (const name of ['id', 'updated_at'] as const) {
    const used = name === 'id' ? id.length === 1 && id[0] === name : updatedAt === name;
    if (used || !columns.some((column) => column.name === name)) continue;
    throw wrong(
      `${place} has a column ${name}, which is the name of a field that every record has; set ${RESERVED[name]}=${name}, ` +
        'or give it another name in SOURCE_QUERY',
    );
  }
  const fields = columns.filter(({ name }) => !Object.hasOwn(RESERVED, name) && name !== deletedAt);
  return { from: fromClause(from, grammar), id: ids, updatedAt: updated, deletedAt: deleted, fields };
}

function listed(columns: readonly Column[]): string {
  const names = columns.slice(0, MOST_NAMED).map(({ name }) => name);
  return `${names.join(', ')}${columns.length > MOST_NAMED ? ', …' : ''}`;
}

function wrong(words: string): JobError {
  return new JobError('notConfigured', words);
}
