/** Records with odd ids, in a partitioned table: they go back, wait, are removed and forgotten like all others. */

import { expect, test } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { namesOf, setup, type Setup } from '../support/setup.ts';

const ODD = [
  ' ',
  "'",
  '"',
  '%',
  '%41',
  '\\',
  '\t',
  '-n',
  '--only',
  '\u{1f600}',
  '\u00e9',
  'x'.repeat(1000),
  '{a,b}',
  'NULL',
  '\u202e',
];
const flag = (id: string) => `--id ${encodeURIComponent(id).replace(/^-/, '%2D')}`;
const last = (t: Setup) => t.receiver.reports.at(-1);

test('odd ids in a partitioned table are handled by a limited rollback, a removal and forget, and the history is kept', async () => {
  await using t = await setup([
    ...someRows(20),
    ...ODD.map((id) => ({ id, updated_at: '2026-01-01T00:00:00Z', name: 'one' })),
  ]);
  await t.query(`CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL) PARTITION BY HASH (id);
    CREATE TABLE c0 PARTITION OF cities FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE c1 PARTITION OF cities FOR VALUES WITH (MODULUS 2, REMAINDER 1)`);
  expect(await t.run('sync --api_job_id 1')).toMatchObject({ code: EXIT.ok });
  for (const id of ODD) t.source.put({ id, updated_at: '2026-01-02T00:00:00Z', name: 'two' });
  t.source.put({ id: 'r00001', updated_at: '2026-01-02T00:00:00Z', name: 'two' });
  expect(await t.run('sync --api_job_id 2')).toMatchObject({ code: EXIT.ok });
  const all = ODD.map(flag).join(' ');
  expect(await t.run(`rollback --before 2 --preview ${all} --api_job_id 3`)).toMatchObject({ code: EXIT.ok });
  expect(last(t)?.rollback_preview).toMatchObject({ updated: ODD.length, some_records: true });
  expect(await t.run(`rollback --before 2 ${all} --api_job_id 3`)).toMatchObject({ code: EXIT.ok });
  const names = await t.names();
  expect(ODD.map((id) => names?.[id])).toEqual(ODD.map(() => 'one'));
  expect(names?.['r00001']).toBe('two');

  for (const id of ODD) t.source.rows.delete(id);
  expect(await t.run('sync --api_job_id 4')).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ held: ODD.length });
  expect(t.receiver.waiting).toHaveLength(ODD.length);
  t.receiver.approved = ODD;
  expect(await t.run('remove --approval 01234567-89ab-cdef-0123-456789abcdef --api_job_id 5')).toMatchObject({
    code: EXIT.ok,
  });
  expect(last(t)).toMatchObject({ deleted: ODD.length });
  expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  expect(await t.run(`forget-record ${all} --api_job_id 6`)).toMatchObject({ code: EXIT.ok });
  expect(await t.query('SELECT id FROM syncrator.changes WHERE id = ANY ($1)', [ODD])).toEqual([]);
  expect(await t.run(`rollback --before 2 --api_job_id 7`)).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(namesOf(someRows(20)));
});
