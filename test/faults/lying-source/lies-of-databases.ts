/** Lies of a database: writes while its table is read, broken connections, missing rights, spoilt files. */

import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { SqlPlace } from './sql-place.ts';
import { addressed, exceptDelta, lie, quoted, type TableLie, type Tell } from './table-words.ts';
import { READ } from './lie.ts';
import { AWAY, FAILED, PART, UNAUTHORIZED, WRONG } from './row-lie.ts';
import { CANARY, type Story } from './story.ts';
import type { Fate } from './model.ts';

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

export const MEANWHILE: readonly TableLie[] = [
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

export const DATABASES: readonly TableLie[] = [
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

export const FILES: readonly TableLie[] = (
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
