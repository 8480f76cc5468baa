/** The action forget-record: no earlier value of a record is left in the sink, and rollbacks leave it as it is. */
import { expect, test } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { setup } from '../support/setup.ts';

const SECRET = 'a name to forget';
const ID = 'ä person/1';
const NAMED = `--id ${encodeURIComponent(ID)}`;
const rowOf = (name: string, day: number) => ({ id: ID, name, updated_at: `2026-01-0${day}T00:00:00Z` });

test('erases the earlier values of a record from change sets and records set aside', async () => {
  await using t = await setup([...someRows(20), rowOf(SECRET, 1)]);
  await t.run('sync --api_job_id 1');
  t.source.put(rowOf(`${SECRET}, changed`, 2), {
    id: 'r00001',
    updated_at: '2026-01-02T00:00:00Z',
    name: 'other',
  });
  await t.run('sync --api_job_id 2');
  t.source.rows.delete(ID);
  await t.run('sync --api_job_id 3');
  const kept = async () =>
    await t.query<{ id: string; old_record: unknown }>('SELECT id, old_record FROM syncrator.changes');
  expect(JSON.stringify(await kept())).toContain(SECRET);
  const ended = await t.run(`forget-record --api_job_id 4 ${NAMED}`);
  expect(ended.code).toBe(EXIT.ok);
  expect(ended.output).toContain('erased 2 earlier values of 1 records');
  expect(JSON.stringify(await kept())).not.toContain(SECRET);
  expect((await kept()).map(({ id }) => id)).toContain('r00001');
  expect((await t.run('rollback --api_job_id 5 --before 2')).code).toBe(EXIT.ok);
  const names = await t.names();
  expect(names?.['r00001'], 'other records go back').toBe('row 1');
  expect(names).not.toHaveProperty(ID);
});

test('a live record stays, and a warning says so; a second attempt does nothing more', async () => {
  await using t = await setup([...someRows(3), rowOf('first', 1)]);
  await t.run('sync --api_job_id 1');
  t.source.put(rowOf('second', 2));
  await t.run('sync --api_job_id 2');
  for (const attempt of ['1', '2']) {
    const uid = { SYNCRATOR_JOB_UID: '00000000-0000-4000-8000-000000000003', SYNCRATOR_ATTEMPT: attempt };
    expect((await t.run(`forget-record --api_job_id 3 ${NAMED}`, uid)).code).toBe(EXIT.ok);
    expect((await t.names())?.[ID]).toBe('second');
    if (attempt === '1')
      expect(t.receiver.reports.at(-1)?.warnings).toEqual([
        expect.stringContaining('1 of the forgotten records is live'),
      ]);
  }
});

test('needs the ids', async () => {
  await using t = await setup(someRows(1));
  await expect(t.run('forget-record')).rejects.toThrow('forget-record needs --id');
});

test('erases the values in a load that has not ended, also while a dump locks it', async () => {
  await using t = await setup([rowOf(SECRET, 1), ...someRows(20)]);
  await t.run('sync --api_job_id 1');
  t.source.pageSize = 7;
  t.source.bend = ({ query }) =>
    query['after'] === 'r00013' ? new Response('', { status: 403 }) : undefined;
  t.source.put({ ...rowOf(SECRET, 2), id: 'a' });
  expect((await t.run('sync --api_job_id 2 -n 7')).code).not.toBe(EXIT.ok);
  const [staging] = (await t.tables('syncrator')).filter((name) => name.startsWith('staging'));
  const left = async () => JSON.stringify(await t.query(`SELECT * FROM syncrator."${staging}"`));
  expect(await left()).toContain(SECRET);
  await t.query(`BEGIN; LOCK TABLE syncrator."${staging}" IN ACCESS SHARE MODE`);
  expect((await t.run(`forget-record --api_job_id 3 --id a`)).code).toBe(EXIT.ok);
  await t.query('COMMIT');
  expect(await left()).not.toContain(SECRET);
  t.source.bend = null;
  expect((await t.run('sync --api_job_id 4')).code).toBe(EXIT.ok);
});
