/** All lies of a table: in its rows, in its columns, in its database, and while it is read. */

import type { SqlPlace } from './sql-place.ts';
import { DATABASES, FILES, MEANWHILE } from './lies-of-databases.ts';
import { exceptDelta, lacking, lie, oldPair, one, quoted, runs, type TableLie } from './table-words.ts';
import { always, but, READ, UNPROVEN } from './lie.ts';
import { REJECTED, TOLD_ROWS, WRONG } from './row-lie.ts';
import { inOrder, rowOf, type Story } from './story.ts';
import type { Row } from './model.ts';

const timeIn = ({ dialect }: SqlPlace, at: string): string =>
  quoted(dialect === 'mysql' ? at.replace('T', ' ').replace('Z', '') : at);

/** Rows that are marked as deleted at the time of their last change; the place has no live ones of them. */
const marks =
  (rows: (story: Story) => readonly Row[]) =>
  async (place: SqlPlace, story: Story): Promise<void> => {
    for (const { id, updated_at: at } of rows(story)) {
      const time = timeIn(place, at);
      await place.exec(`INSERT INTO places VALUES (${quoted(id)}, 'gone', ${time}, ${time})`);
    }
  };

const ROWS: readonly TableLie[] = [
  lie(
    'a row twice',
    WRONG,
    runs((story) => `INSERT INTO places SELECT * FROM places WHERE id = ${quoted(one(story).id)}`),
  ),
  lie(
    'every row twice',
    WRONG,
    runs(() => 'INSERT INTO places SELECT * FROM places'),
  ),
  lie(
    'a row without an id',
    WRONG,
    runs((story) => `UPDATE places SET id = NULL WHERE id = ${quoted(one(story).id)}`),
  ),
  lie(
    'a row with an empty id',
    REJECTED,
    runs((story) => `UPDATE places SET id = '' WHERE id = ${quoted(one(story).id)}`),
  ),
  lie(
    'a row with an empty id, MAX_REJECTED=5',
    exceptDelta(UNPROVEN),
    runs((story) => `UPDATE places SET id = '' WHERE id = ${quoted(one(story).id)}`),
    {
      setAside: { row: one, as: 'nameless' },
      silent: (story) => [one(story)],
      environment: { MAX_REJECTED: '5' },
    },
  ),
  lie(
    'an id of 1,001 bytes',
    REJECTED,
    runs((story) => `UPDATE places SET id = '${'x'.repeat(1001)}' WHERE id = ${quoted(one(story).id)}`),
  ),
  lie(
    'a row without a time',
    (mode) => (mode === 'everything' ? REJECTED : READ),
    runs((story) => `UPDATE places SET updated_at = NULL WHERE id = ${quoted(one(story).id)}`),
    { rows: (story, mode) => (mode === 'changes' ? lacking(story, [one(story)]) : story.next) },
  ),
  lie(
    'a row without a time, MAX_REJECTED=5',
    READ,
    runs((story) => `UPDATE places SET updated_at = NULL WHERE id = ${quoted(one(story).id)}`),
    {
      rows: (story, mode) => (mode === 'changes' ? lacking(story, [one(story)]) : story.next),
      setAside: { row: one, as: 'by id' },
      environment: { MAX_REJECTED: '5' },
    },
  ),
  lie(
    'a time that is none',
    (mode) => (mode === 'everything' ? REJECTED : READ),
    runs((story) => `UPDATE places SET updated_at = 'soon' WHERE id = ${quoted(one(story).id)}`),
    {
      only: ['sqlite'],
      rows: (story, mode) => (mode === 'changes' ? lacking(story, [one(story)]) : story.next),
    },
  ),
  lie(
    'a text with U+0000',
    but(REJECTED, 'ids'),
    runs((story) => `UPDATE places SET name = 'a' || char(0) || 'b' WHERE id = ${quoted(one(story).id)}`),
    { only: ['sqlite'] },
  ),
  lie('two rows that are marked as deleted', READ, marks(oldPair), {
    rows: (story) => lacking(story, oldPair(story)),
    deletes: oldPair,
  }),
  lie(
    'every row is marked as deleted',
    READ,
    marks(({ next }) => next),
    {
      rows: () => [],
      deletes: ({ next }) => next,
    },
  ),
  lie(
    'every row is marked as deleted, forced',
    READ,
    marks(({ next }) => next),
    { rows: () => [], deletes: ({ next }) => next, options: '--force-delete' },
  ),
  lie(
    'a view that shows half of the rows',
    READ,
    runs(() => 'ALTER TABLE places RENAME TO all_places'),
    {
      rows: ({ next }) => next.filter((_, at) => at % 2 === 0),
      tell: async (place, { next }) => {
        // `put` has told only the half; the rest exists, but the view hides it.
        const hidden = next.filter((_, at) => at % 2 === 1);
        await place.exec('ALTER TABLE places RENAME TO all_places');
        for (const { id, updated_at: at } of hidden) {
          await place.exec(
            `INSERT INTO all_places VALUES (${quoted(id)}, 'hidden', ${timeIn(place, at)}, NULL)`,
          );
        }
        await place.exec("CREATE VIEW places AS SELECT * FROM all_places WHERE name <> 'hidden'");
      },
    },
  ),
  {
    name: 'ids that differ only in case, in a trailing space, and in normalisation',
    fate: always(READ),
    rows: ({ next, recent }) => {
      const at = recent[0]?.updated_at ?? '';
      const ids = ['s-ID', 's-Id', 's-id', 's', 's ', 's  ', 's\u00e9', 'se\u0301', "s'", 's\\', 's\n', 's"'];
      return inOrder([...next, ...ids.map((id) => rowOf(id, at, 'more'))]);
    },
  },
];

const withFields =
  (change: (fields: Record<string, unknown>) => Record<string, unknown>) =>
  (row: Row): Row => ({
    ...row,
    json: JSON.stringify(change(JSON.parse(row.json) as Record<string, unknown>)),
  });

const COLUMNS: readonly TableLie[] = [
  lie(
    'no table',
    WRONG,
    runs(() => 'DROP TABLE places'),
  ),
  lie(
    'the table has another name',
    WRONG,
    runs(() => 'ALTER TABLE places RENAME TO all_places'),
  ),
  ...['id', 'updated_at', 'deleted_at'].map((column) =>
    lie(
      `the column ${column} has another name`,
      WRONG,
      runs(() => `ALTER TABLE places RENAME COLUMN ${column} TO other`),
    ),
  ),
  lie(
    'a column has another name',
    READ,
    runs(() => 'ALTER TABLE places RENAME COLUMN name TO title'),
    { reads: withFields(({ name }) => ({ title: name })) },
  ),
  lie(
    'a column has another name where half of the records may change',
    READ,
    runs(() => 'ALTER TABLE places RENAME COLUMN name TO title'),
    {
      reads: withFields(({ name }) => ({ title: name })),
      environment: { SYNCRATOR_MAX_UPDATE_PERCENT: '50' },
    },
  ),
  lie(
    'a new column',
    READ,
    runs(() => 'ALTER TABLE places ADD COLUMN note VARCHAR(20)'),
    {
      reads: withFields((fields) => ({ ...fields, note: null })),
    },
  ),
  lie(
    'the other column is gone',
    READ,
    runs(() => 'ALTER TABLE places DROP COLUMN name'),
    {
      reads: withFields(() => ({})),
    },
  ),
];

const OF_TABLES: readonly TableLie[] = [
  ...(TOLD_ROWS as readonly TableLie[]),
  ...ROWS,
  ...COLUMNS,
  ...MEANWHILE,
  ...DATABASES,
  ...FILES,
];

/** MariaDB has no times so early. */
const NOT_OF_MARIADB = /the year 1\b/;

export function tableLiesOf(dialect: SqlPlace['dialect']): TableLie[] {
  return OF_TABLES.filter(
    ({ only, name }) =>
      (only === undefined || only.includes(dialect)) && !(dialect === 'mysql' && NOT_OF_MARIADB.test(name)),
  );
}
