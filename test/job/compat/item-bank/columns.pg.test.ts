/** Columns of SINK_COLUMNS in the table of an item bank. */
import { expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { bankSetup } from '../../support/item-bank-setup.ts';

const LIST = { SINK_COLUMNS: 'item jsonb, project text, commit jsonb, removed boolean' };

it('get the values of each item, also of items from before the list, and go back with it', async () => {
  await using t = await bankSetup();
  t.gitlab.bank.fill(1);
  expect(await t.run('sync --api_job_id 1')).toMatchObject({ code: EXIT.ok });
  expect(await t.run('delta --api_job_id 2', LIST)).toMatchObject({
    code: EXIT.failed,
    output: expect.stringContaining('Run a sync first') as string,
  });
  expect(await t.run('sync --api_job_id 3', LIST)).toMatchObject({ code: EXIT.ok });
  const isSame = `SELECT id, item = record->'item' AND commit = record->'commit' AND project = record->>'project'
    AND removed IS NULL AS same, item->'revision' AS revision FROM items ORDER BY id`;
  expect(await t.query(isSame)).toEqual([{ id: '1', same: true, revision: 1 }]);
  t.gitlab.bank.fill(2);
  t.gitlab.bank.commit(1, { item: 1, revision: 2 }, { date: new Date() });
  expect(await t.run('sync --api_job_id 4', LIST)).toMatchObject({ code: EXIT.ok });
  expect(await t.query(isSame)).toEqual([
    { id: '1', same: true, revision: 2 },
    { id: '2', same: true, revision: 1 },
  ]);
  expect(await t.run('rollback --api_job_id 5', LIST)).toMatchObject({ code: EXIT.ok });
  expect(await t.query(isSame)).toEqual([{ id: '1', same: true, revision: 1 }]);
});

it('of another type make the item a failed one', async () => {
  await using t = await bankSetup();
  t.gitlab.bank.fill(1);
  const { code } = await t.run('sync', { SINK_COLUMNS: 'project bigint' });
  expect(code).toBe(EXIT.itemsFailed);
  expect(t.last()?.message).toContain(
    '1 (the columns project of SINK_COLUMNS have types that the item does not fit)',
  );
  expect(await t.query('SELECT id FROM items')).toEqual([]);
});
