/** Which records wait for an answer, night after night, in a Postgres sink. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { lines, page, someRows } from '../support/fake-source.ts';
import { namesOf, setup, type Setup } from '../support/setup.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);

async function heldIn(t: Setup): Promise<string[]> {
  const rows = await t.query<{ id: string }>(
    `SELECT id FROM syncrator.kept WHERE reason = 'held' ORDER BY id COLLATE "C"`,
  );
  return rows.map(({ id }) => id);
}

const idsOf = (count: number, from = 0) =>
  someRows(count)
    .slice(from)
    .map(({ id }) => id);

function lose(t: Setup, ids: readonly string[]): void {
  for (const id of ids) t.source.rows.delete(id);
}

it('held records stay over the following nights, while what is new is added and small losses go', async () => {
  await using t = await setup(someRows(100));
  await t.run('sync');
  lose(t, idsOf(20));
  t.source.put({ id: 'new-1', updated_at: '2026-01-01T00:00:00Z', name: 'one' });
  expect((await t.run('sync')).code).toBe(EXIT.ok);
  expect(last(t)).toMatchObject({ added: 1, deleted: 0, kept: 20, held: 20, listing: 'complete' });

  // The guard judges all that is missing, so what is lost besides waits too.
  lose(t, idsOf(22, 20));
  t.source.put({ id: 'new-2', updated_at: '2026-01-01T00:00:00Z', name: 'two' });
  expect((await t.run('delete')).code).toBe(EXIT.ok);
  expect(last(t)).toMatchObject({ deleted: 0, held: 22 });
  expect((await t.run('sync')).code).toBe(EXIT.ok);
  expect(last(t)).toMatchObject({ added: 1, deleted: 0, held: 22 });

  // Where the limit allows them all, only those go that have never been held.
  lose(t, ['r00100']);
  expect((await t.run('sync', { SYNCRATOR_MAX_DELETE_PERCENT: '50' })).code).toBe(EXIT.ok);
  expect(last(t)).toMatchObject({ deleted: 1, held: 22 });
  expect(await heldIn(t)).toEqual(idsOf(22));
  expect(await t.names()).toEqual({ ...namesOf(someRows(22)), ...namesOf(t.source.rows.values()) });

  expect((await t.run('sync --force-delete')).code).toBe(EXIT.ok);
  expect(last(t)).toMatchObject({ deleted: 22, kept: 0 });
  expect(last(t), 'an older api knows no held').not.toHaveProperty('held');
  expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
});

it.each(['sync', 'delta', 'delete'])('a record that a %s lists again waits no longer', async (action) => {
  await using t = await setup(someRows(60));
  await t.run('sync');
  lose(t, idsOf(10));
  await t.run('sync');
  t.source.put(...someRows(9, new Date().toISOString()));
  expect((await t.run(action)).code).toBe(EXIT.ok);
  expect(await heldIn(t)).toEqual(['r00010']);
  lose(t, ['r00001']);
  expect((await t.run('delete')).code).toBe(EXIT.ok);
  expect(last(t), 'a new loss below the limit').toMatchObject({ deleted: 1, held: 1 });
});

it('a listing without evidence settles no question', async () => {
  await using t = await setup(someRows(100));
  await t.run('sync');
  lose(t, idsOf(20));
  await t.run('sync');
  await t.query('UPDATE syncrator.sinks SET proven = false');
  lose(t, ['r00021']);
  const file = join(await mkdtemp(join(tmpdir(), 'syncrator-held-')), 'records.ndjson');
  onTestFinished(() => rm(dirname(file), { recursive: true }));
  await writeFile(file, lines([...t.source.rows.values()]));
  const unproven = { SOURCE_URL: '', SOURCE_FILE: file, SYNCRATOR_PART_OF: 'diff' };
  for (const action of ['sync', 'delete', 'sync --force-delete']) {
    expect((await t.run(action, unproven)).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ listing: 'unproven', deleted: 0, kept: 21, held: 20 });
    expect(await heldIn(t)).toEqual(idsOf(20));
  }
});

it('a loss that the source contradicts by id is not held but refused', async () => {
  await using t = await setup(someRows(60));
  await t.run('sync');
  t.source.bend = (listing) => {
    const { query, rows, total } = listing;
    const all = query['after'] === undefined || !/\u{10FFFF}|r000[01]/u.test(query['after']);
    return all ? page({ ...listing, rows: rows.slice(10), total: total - 10 }) : undefined;
  };
  const before = await t.md5();
  expect((await t.run('sync')).code).toBe(EXIT.incompleteListing);
  expect(await heldIn(t)).toEqual([]);
  expect(await t.md5()).toBe(before);
});

it('the update guard refuses a job whose removals would be held', async () => {
  await using t = await setup(someRows(60));
  await t.run('sync');
  const before = await t.md5();
  lose(t, idsOf(10));
  t.source.put(
    ...someRows(60)
      .slice(10)
      .map((row) => ({ ...row, name: 'other' })),
  );
  expect((await t.run('sync', { SYNCRATOR_MAX_UPDATE_PERCENT: '50' })).code).toBe(EXIT.updateGuard);
  expect(await t.md5()).toBe(before);
  expect(await heldIn(t)).toEqual([]);
});

it('a held record that rows of another table refer to goes on waiting once they do not', async () => {
  await using t = await setup(someRows(60));
  await t.run('sync');
  lose(t, idsOf(10));
  await t.run('sync');
  await t.query(
    `CREATE TABLE visits (city text REFERENCES cities (id)); INSERT INTO visits VALUES ('r00001')`,
  );
  expect((await t.run('sync', { SYNCRATOR_MAX_DELETE_PERCENT: '50' })).code).toBe(EXIT.ok);
  await t.query('DELETE FROM visits');
  expect((await t.run('sync', { SYNCRATOR_MAX_DELETE_PERCENT: '50' })).code).toBe(EXIT.ok);
  expect(await heldIn(t)).toEqual(idsOf(10));
  expect(last(t)).toMatchObject({ deleted: 0, held: 10 });
});

it('a rollback leaves what waits, and removes what its jobs had added', async () => {
  await using t = await setup(someRows(60));
  await t.run('sync --api_job_id 1');
  lose(t, idsOf(10));
  t.source.put({ id: 'new', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
  await t.run('sync --api_job_id 2');
  expect((await t.run('rollback --before 2 --api_job_id 3')).code).toBe(EXIT.ok);
  expect(await t.names()).toEqual(namesOf(someRows(60)));
  expect(await heldIn(t)).toEqual(idsOf(10));
});

it('a rollback that cannot remove a held record, since rows of another table refer to it, leaves it waiting', async () => {
  await using t = await setup(someRows(60));
  await t.run('sync --api_job_id 1');
  const added = Array.from({ length: 10 }, (_, nth) => ({
    id: `new-${nth}`,
    updated_at: '2026-01-01T00:00:00Z',
    name: 'new',
  }));
  t.source.put(...added);
  await t.run('sync --api_job_id 2');
  lose(
    t,
    added.map(({ id }) => id),
  );
  await t.run('sync --api_job_id 3');
  await t.query(
    `CREATE TABLE visits (city text REFERENCES cities (id)); INSERT INTO visits VALUES ('new-1')`,
  );
  expect((await t.run('rollback --before 2 --api_job_id 4')).code).toBe(EXIT.ok);
  expect(await t.names()).toEqual({ ...namesOf(someRows(60)), 'new-1': 'new' });
  expect(await heldIn(t)).toEqual(['new-1']);
  await t.query('DELETE FROM visits');
  expect((await t.run('sync --api_job_id 5')).code).toBe(EXIT.ok);
  expect(await heldIn(t)).toEqual(['new-1']);
});

it('each new loss is asked for by its id, however many records wait already', async () => {
  await using t = await setup(someRows(5_000));
  await t.run('sync');
  lose(t, idsOf(2_500));
  expect((await t.run('sync')).code).toBe(EXIT.ok);
  const hidden = new Set(idsOf(4_005, 4_000));
  const listing = t.source.bend;
  t.source.bend = (of) => {
    if (of.query['limit'] === '100') return undefined;
    const rows = of.rows.filter(({ id }) => !hidden.has(id));
    return page({ ...of, rows, total: of.total - hidden.size });
  };
  expect((await t.run('sync', { SYNCRATOR_MAX_DELETE_PERCENT: '60' })).code).toBe(EXIT.ok);
  t.source.bend = listing;
  expect(last(t)).toMatchObject({ deleted: 0, held: 2_500, kept: 2_505 });
  expect(Object.keys((await t.names()) ?? {})).toHaveLength(5_000);
});

it('a delta offers nothing again that the source has no longer, so what waits goes on waiting', async () => {
  await using t = await setup(someRows(60));
  const some = { MAX_REJECTED: '9' };
  await t.run('sync', some);
  await t.query(`ALTER TABLE cities ADD CHECK (record->>'name' <> 'bad')`);
  const bad = (id: string) => ({ id, updated_at: new Date().toISOString(), name: 'bad' });
  t.source.put(bad('r00001'), bad('new'));
  expect((await t.run('sync', some)).code).toBe(EXIT.ok);
  expect(last(t)).toMatchObject({ failed: 2 });
  lose(t, ['new', ...idsOf(10)]);
  expect((await t.run('delete', some)).code).toBe(EXIT.ok);
  expect(await heldIn(t)).toEqual(idsOf(10));
  await t.query(`ALTER TABLE cities DROP CONSTRAINT cities_record_check`);
  expect((await t.run('delta', some)).code).toBe(EXIT.ok);
  expect(await heldIn(t)).toEqual(idsOf(10));
  expect(await t.names()).toEqual(namesOf(someRows(60)));
});
