/** One snapshot of the source, with the selection checked against the columns that exist. */
import { JobError } from '../../job-error.ts';
import { fromClause, placeOf, select } from './columns.ts';
import type { Part, Selection, Snapshot } from './dialect.ts';
import type { SqlSettings } from './sql-settings.ts';
import { countStatement, foundStatement } from './statements.ts';

export type Session = {
  readonly snapshot: Snapshot;
  readonly selection: Selection;
  /** The number of rows of a part. @throws JobError `notConfigured` if a row has no id */
  readonly count: (part: Part) => Promise<number>;
  /** Whether several rows have this id. */
  readonly repeats: (id: string) => Promise<boolean>;
};

/** @throws the dialect's errors, and JobError `notConfigured` for columns that do not exist or do not fit */
export async function prepareSession(settings: SqlSettings, snapshot: Snapshot): Promise<Session> {
  const { grammar } = snapshot;
  const columns = await snapshot.columns(fromClause(settings.from, grammar));
  const selection = select(settings, columns, grammar);
  return {
    snapshot,
    selection,
    async count(part) {
      const [rows = 0, withId = 0] = await snapshot.counts(countStatement(selection, part, grammar));
      if (withId < rows) throw withoutId(settings, rows - withId);
      return rows;
    },
    repeats: async (id) => (await snapshot.found(foundStatement(selection, [id], grammar))).length > 1,
  };
}

function withoutId({ from, id }: SqlSettings, count: number): JobError {
  const rows = count === 1 ? '1 row' : `${count} rows`;
  return new JobError(
    'notConfigured',
    `${rows} of ${placeOf(from)} have NULL in ${id.join(' or ')}, so their records have no id; name columns in SOURCE_ID ` +
      'that are never NULL, or leave such rows out with SOURCE_QUERY',
  );
}
