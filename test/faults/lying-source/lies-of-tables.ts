/** Lies of a table: in its rows, in its columns, in its database, and while it is read. */

import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { always, but, READ, UNPROVEN } from './lie.ts';
import type { Row } from './model.ts';
import { AWAY, FAILED, PART, REJECTED, type RowLie, TOLD_ROWS, UNAUTHORIZED, WRONG } from './row-lie.ts';
import type { Fate } from './model.ts';
import type { SqlPlace } from './sql-place.ts';
import { CANARY, inOrder, isOld, rowOf, type Story } from './story.ts';

export type TableLie = RowLie<SqlPlace> & { readonly only?: readonly SqlPlace['dialect'][] };

type Tell = NonNullable<TableLie['tell']>;

const lie = (
  name: string,
  fate: Fate | TableLie['fate'],
  tell: Tell,
  more: Partial<TableLie> = {},
): TableLie => ({ name, fate: typeof fate === 'function' ? fate : always(fate), tell, ...more });

const runs =
  (sql: (story: Story) => string): Tell =>
  async (place, story) =>
    await place.exec(sql(story));
const quoted = (text: string): string => `'${text}'`;
const idsOf = (rows: readonly Row[]): string => rows.map(({ id }) => quoted(id)).join(', ');

/** One record that a delta sees; the same in all parts of a lie. */
const one = ({ recent, random }: Story): Row => random.pick(recent);
/** Two records that no delta sees. */
const oldPair = ({ next, random }: Story): Row[] => random.shuffled(next.filter(isOld)).slice(0, 2);
const lacking = (story: Story, gone: readonly Row[]): Row[] =>
  story.next.filter((row) => !gone.includes(row));
const exceptDelta = (fate: Fate): TableLie['fate'] => but(fate, 'changes');
const addressed =
  (change: (url: URL) => void): Tell =>
  (place) => {
    const url = new URL(place.settings['SOURCE_URL'] ?? '');
    change(url);
    place.settings['SOURCE_URL'] = url.href;
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
  lie(
    'two rows that are marked as deleted',
    READ,
    runs((story) => `UPDATE places SET deleted_at = updated_at WHERE id IN (${idsOf(oldPair(story))})`),
    { rows: (story) => lacking(story, oldPair(story)) },
  ),
  lie(
    'every row is marked as deleted',
    READ,
    runs(() => 'UPDATE places SET deleted_at = updated_at'),
    {
      rows: () => [],
    },
  ),
  lie(
    'every row is marked as deleted, forced',
    READ,
    runs(() => 'UPDATE places SET deleted_at = updated_at'),
    { rows: () => [], options: '--force-delete' },
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
          const time = place.dialect === 'mysql' ? at.replace('T', ' ').replace('Z', '') : at;
          await place.exec(`INSERT INTO all_places VALUES (${quoted(id)}, 'hidden', '${time}', NULL)`);
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

/** The first statement after the survey. */
const afterSurvey =
  (sql: (story: Story) => string): Tell =>
  async (place, story) => {
    let begun = false;
    await place.relay({
      onStatement(text) {
        if (begun || !text.startsWith('DECLARE')) return;
        begun = true;
        place.execMeanwhile(sql(story));
      },
    });
  };
const onPostgres: Partial<TableLie> = { only: ['postgres'] };
const onSqlite: Partial<TableLie> = { only: ['sqlite'] };
const backAgain = ({ removed }: Story): string =>
  `INSERT INTO places VALUES ${removed.map(({ id, updated_at: at }) => `(${quoted(id)}, '${CANARY}', '${at}', NULL)`).join(', ')}`;

const MEANWHILE: readonly TableLie[] = [
  ...(
    [
      ['deleted', () => 'DELETE FROM places'],
      ['changed', () => `UPDATE places SET name = '${CANARY}', updated_at = now()`],
      ['multiplied', () => 'INSERT INTO places SELECT * FROM places'],
    ] as const
  ).map(([what, sql]) => lie(`rows are ${what} once the listing begins`, READ, afterSurvey(sql), onPostgres)),
  lie(
    'the table is truncated once the listing begins',
    READ,
    afterSurvey(() => 'TRUNCATE places'),
    onPostgres,
  ),
  ...(
    [
      ['deleted', 'DELETE FROM places'],
      ['multiplied', 'INSERT INTO places SELECT * FROM places'],
    ] as const
  ).map(([what, sql]) =>
    lie(`rows are ${what} after the survey`, READ, () => {}, {
      ...onSqlite,
      meanwhile: { at: /reading what changed from/, act: (place) => place.execMeanwhile(sql) },
    }),
  ),
  lie('rows that are gone come back after the listing', exceptDelta(PART), () => {}, {
    ...onSqlite,
    answers: ({ removed }) => removed,
    meanwhile: {
      at: /"?(loaded \d+ records|the source lists \d+ ids)/,
      act: (place, story) => place.execMeanwhile(backAgain(story)),
    },
  }),
  lie('the table is gone after the listing', exceptDelta(WRONG), () => {}, {
    ...onSqlite,
    meanwhile: {
      at: /"?(loaded \d+ records|the source lists \d+ ids)/,
      act: (place) => place.execMeanwhile('DROP TABLE places'),
    },
  }),
];

const cutAt =
  (ends: 'connection' | 'program', when: 'before' | 'after'): Tell =>
  async (place, { random }) =>
    await place.relay({ cut: { at: random.integer(1, 6), when, ends } });

const DATABASES: readonly TableLie[] = [
  lie('the connection ends before a statement', READ, cutAt('connection', 'before'), onPostgres),
  lie('the connection ends after a statement', READ, cutAt('connection', 'after'), onPostgres),
  lie('all connections end, and no new one is let in', AWAY, cutAt('program', 'before'), onPostgres),
  lie(
    'nothing listens',
    AWAY,
    addressed((url) => (url.port = '1')),
    { only: ['postgres', 'mysql'] },
  ),
  lie(
    'an unknown host',
    AWAY,
    addressed((url) => (url.hostname = 'nowhere.invalid')),
    {
      only: ['postgres', 'mysql'],
    },
  ),
  lie(
    'a wrong password',
    UNAUTHORIZED,
    addressed((url) => (url.password = 'wrong')),
    {
      only: ['postgres', 'mysql'],
    },
  ),
  lie(
    'an unknown user',
    UNAUTHORIZED,
    addressed((url) => (url.username = 'nobody')),
    {
      only: ['postgres', 'mysql'],
    },
  ),
  lie(
    'an unknown database',
    WRONG,
    addressed((url) => (url.pathname = '/nowhere')),
    {
      only: ['postgres', 'mysql'],
    },
  ),
  lie(
    'no right to read',
    UNAUTHORIZED,
    async (place) => {
      await place.exec('GRANT USAGE ON SCHEMA public TO reader');
      asReader(place);
    },
    onPostgres,
  ),
  lie(
    'a policy that hides half of the rows',
    UNAUTHORIZED,
    async (place) => {
      await place.exec(
        `GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON places TO reader;
         ALTER TABLE places ENABLE ROW LEVEL SECURITY;
         CREATE POLICY half ON places USING (id < 'r00100')`,
      );
      asReader(place);
    },
    onPostgres,
  ),
];

function asReader({ settings }: SqlPlace): void {
  const url = new URL(settings['SOURCE_URL'] ?? '');
  url.username = READER.name;
  url.password = READER.password;
  settings['SOURCE_URL'] = url.href;
}

/** A role that may connect, and nothing else. */
export const READER = { name: 'reader', password: 'hush-reader' };

/** The whole database in one file. */
const settled = async (place: SqlPlace): Promise<void> => await place.exec('PRAGMA journal_mode = DELETE');
const spoilt =
  (change: (file: string, story: Story) => void): Tell =>
  async (place, story) => {
    await settled(place);
    change(place.file, story);
  };

const FILES: readonly TableLie[] = (
  [
    ['no file', AWAY, (file) => rmSync(file)],
    ['a directory', AWAY, (file) => (rmSync(file), mkdirSync(file))],
    ['an empty file', WRONG, (file) => truncateSync(file, 0)],
    ['a file of another kind', WRONG, (file) => writeFileSync(file, `<html>${CANARY}</html>`.repeat(500))],
    ['a file cut off by a page', FAILED, (file) => truncateSync(file, readFileSync(file).length - 4096)],
    ['a file cut off in its middle', FAILED, (file) => truncateSync(file, readFileSync(file).length / 2)],
    [
      'a page of zeros',
      FAILED,
      (file) => {
        const bytes = readFileSync(file);
        writeFileSync(file, bytes.fill(0, bytes.length - 4096));
      },
    ],
  ] as readonly [string, Fate, (file: string, story: Story) => void][]
).map(([name, fate, change]) => lie(name, fate, spoilt(change), onSqlite));

export const OF_TABLES: readonly TableLie[] = [
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
