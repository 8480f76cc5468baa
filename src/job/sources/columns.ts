/** Checks the columns that the settings name against those that exist, before any row is read. */
import { JobError } from '../job-error.ts';
import type { Settings } from '../settings-file.ts';

export type Column = {
  readonly name: string;
  /** In the words of the source. */
  readonly type: string;
  /** `time`: a date or timestamp. `binary`: bytes. */
  readonly holds: 'time' | 'binary' | 'other';
  /** How much earlier than its moment a time may be that tells no zone or no time of day, in milliseconds. */
  readonly lateMs?: number;
};

export type Wanted = {
  /** The table or file, for errors. */
  readonly place: string;
  /** Where columns can be renamed and converted: `in SOURCE_QUERY`. */
  readonly mend: string;
  readonly id: readonly string[];
  readonly updatedAt: string | null;
};

export type Chosen<C extends Column> = {
  readonly id: readonly C[];
  readonly updatedAt: C | null;
  /** Columns that become fields of the record. */
  readonly fields: readonly C[];
};

/** Fields that every record has; a column of that name must hold just this. */
const RESERVED = { id: 'SOURCE_ID', updated_at: 'SOURCE_UPDATED_AT' } as const;

const MOST_NAMED = 40;

/** The columns of SOURCE_ID. @throws JobError `notConfigured` */
export function readIdColumns({ required, fault }: Settings): string[] {
  const columns = required('SOURCE_ID')
    .split(',')
    .map((name) => name.trim());
  if (columns.includes(''))
    throw fault('SOURCE_ID is not a list of columns: expected a form such as country,code');
  if (new Set(columns).size < columns.length) throw fault('SOURCE_ID names a column twice');
  return columns;
}

/** @throws JobError `notConfigured` */
export function chooseColumns<C extends Column>(wanted: Wanted, columns: readonly C[]): Chosen<C> {
  const { place, mend, id, updatedAt } = wanted;
  const twice = columns.find(({ name }, at) => columns.findIndex((other) => other.name === name) < at);
  if (twice)
    throw wrong(`${place} has two columns named ${twice.name}; give one of them another name ${mend}`);
  const ids = id.map((name) => namedColumn('SOURCE_ID', name, wanted, columns));
  const updated = updatedAt === null ? null : namedColumn('SOURCE_UPDATED_AT', updatedAt, wanted, columns);
  if (updated && updated.holds !== 'time') {
    throw wrong(
      `SOURCE_UPDATED_AT: the column ${updated.name} of ${place} has the type ${updated.type}; name one that holds a date ` +
        `or a timestamp, or convert it ${mend}`,
    );
  }
  for (const name of ['id', 'updated_at'] as const) {
    const used = name === 'id' ? id.length === 1 && id[0] === name : updatedAt === name;
    if (!used && columns.some((column) => column.name === name)) throw reserved(name, wanted);
  }
  const fields = columns.filter(({ name }) => !Object.hasOwn(RESERVED, name));
  return { id: ids, updatedAt: updated, fields };
}

/** @throws JobError `notConfigured` */
export function namedColumn<C extends Column>(
  setting: string,
  name: string,
  { place }: Pick<Wanted, 'place'>,
  columns: readonly C[],
): C {
  const column = columns.find((one) => one.name === name);
  if (column) return column;
  throw wrong(`${setting} names the column ${name}, which ${place} does not have; it has ${listed(columns)}`);
}

/** A column or field has a name that another one must have. */
export function reserved(
  name: 'id' | 'updated_at',
  { place, mend }: Pick<Wanted, 'place' | 'mend'>,
): JobError {
  return wrong(
    `${place} has a column ${name}, which is the name of a field that every record has; set ${RESERVED[name]}=${name}, ` +
      `or give it another name ${mend}`,
  );
}

function listed(columns: readonly Column[]): string {
  const names = columns.slice(0, MOST_NAMED).map(({ name }) => name);
  return `${names.join(', ')}${columns.length > MOST_NAMED ? ', …' : ''}`;
}

function wrong(words: string): JobError {
  return new JobError('notConfigured', words);
}
