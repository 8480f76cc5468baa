/** Wrong settings of source `sql`, which are the same over every dialect. */
import { expect, it } from 'vitest';
import type { Source } from '../../../../../src/job/sources/source.ts';
import { collect } from '../../../support/fake-source.ts';
import {
  idsIn,
  makePlaces,
  type More,
  open,
  PLACES,
  recordsIn,
  someIds,
  type SqlDatabase,
} from './database.ts';

export function describeFaults(create: () => Promise<SqlDatabase>): void {
  const cases: [string, More, RegExp][] = [
    [
      'a table that is not there',
      { SOURCE_TABLE: 'nowhere' },
      /nowhere.*; correct SOURCE_TABLE or SOURCE_QUERY$/s,
    ],
    [
      'a SELECT that is not one',
      { SOURCE_TABLE: '', SOURCE_QUERY: 'SELECT id FORM places' },
      /correct SOURCE_TABLE or/,
    ],
    [
      'an id column that is not there',
      { SOURCE_ID: 'code' },
      /^SOURCE_ID names the column code, which places does not have; it has id, name, updated_at, deleted_at$/,
    ],
    [
      'a column of times that is not there',
      { SOURCE_UPDATED_AT: 'changed' },
      /^SOURCE_UPDATED_AT names the column changed,/,
    ],
    [
      'a column of deletions that is not there',
      { SOURCE_DELETED_AT: 'gone' },
      /^SOURCE_DELETED_AT names the column gone,/,
    ],
    [
      'a column of times that is not named',
      { SOURCE_UPDATED_AT: '' },
      /^places has a column updated_at, which is the name of a field .*; set SOURCE_UPDATED_AT=updated_at, or/,
    ],
    ['another column named id', { SOURCE_ID: 'name' }, /^places has a column id, .*; set SOURCE_ID=id, or/],
  ];

  it.each(cases)('are found before anything is read: %s', async (_, more, words) => {
    await using db = await create();
    await makePlaces(db, ['a']);
    const source = (): Source => open(db, { ...PLACES, ...more });
    const asked: ((of: Source) => Promise<unknown>)[] = [
      (of) => of.survey(null),
      idsIn,
      recordsIn,
      (of) => of.stillThere(['a']),
    ];
    for (const ask of asked) {
      const error: unknown = await ask(source()).catch((error: unknown) => error);
      expect(error).toMatchObject({ code: 'notConfigured' });
      expect((error as Error).message).toMatch(words);
    }
  });

  it('are two rows with one id', async () => {
    await using db = await create();
    await makePlaces(db, ['a', 'b', 'b']);
    const reading = recordsIn(open(db));
    await expect(reading).rejects.toMatchObject({ code: 'notConfigured' });
    await expect(reading).rejects.toThrow(
      /^the row "b" of places: two rows have this id; name columns in SOURCE_ID that are a unique key/,
    );
    const resumed = collect(open(db).changedSince(null, { after: 'b', done: 2 }, 10));
    await expect(resumed).rejects.toThrow(/^the row "b" of places: two rows have this id/);
  });

  it('are rows without an id, found by the survey', async () => {
    await using db = await create();
    await makePlaces(db, ['a', 'b']);
    await db.exec(`UPDATE places SET name = NULL WHERE id = 'b'`);
    const query = {
      SOURCE_QUERY: 'SELECT name AS code, updated_at FROM places',
      SOURCE_TABLE: '',
      SOURCE_ID: 'code',
    };
    const survey = open(db, { ...PLACES, ...query }).survey(null);
    await expect(survey).rejects.toMatchObject({ code: 'notConfigured' });
    await expect(survey).rejects.toThrow(/^1 row of SOURCE_QUERY have NULL in code/);
  });

  it('are a SELECT that writes', async () => {
    await using db = await create();
    await makePlaces(db, ['a']);
    const source = open(db, { SOURCE_QUERY: db.writing, SOURCE_ID: 'id' });
    const error: unknown = await recordsIn(source).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'notConfigured' });
    expect(await idsIn(open(db))).toEqual(['a']);
  });

  it('are a statement that takes too long', async () => {
    await using db = await create();
    await makePlaces(db, someIds(100));
    const source = open(db, { SOURCE_QUERY: db.slow, SOURCE_ID: 'id' }, { statementMs: 300 });
    const survey = source.survey(null);
    await expect(survey).rejects.toMatchObject({ code: 'sourceTimeout' });
    await expect(survey).rejects.toThrow(/^source: a statement took longer than 300 ms \(/);
  });
}
