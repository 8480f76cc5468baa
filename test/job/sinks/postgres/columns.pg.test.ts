/** Columns of SINK_COLUMNS: what readers see of them, and how a changed list changes the table. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { setup, type Setup } from '../../support/setup.ts';
import { uidOf } from '../../support/attempt.ts';

const job = (nth: number): Record<string, string> => ({ SYNCRATOR_JOB_UID: uidOf(nth) });
const at = (): string => new Date().toISOString();
const LIST = 'name text, pages bigint';

async function rowsOf(t: Setup, columns: string): Promise<Record<string, unknown>> {
  const rows = await t.query<{ id: string; row: object }>(
    `SELECT id, to_jsonb(c) - 'id' AS row FROM (SELECT id, ${columns} FROM cities) c`,
  );
  return Object.fromEntries(rows.map(({ id, row }) => [id, row]));
}

const BOTH = [
  { id: 'a', updated_at: at(), name: 'Aachen', pages: 1 },
  { id: 'b', updated_at: at(), name: 'Bonn', pages: 2 },
];

describe.each([
  ['beside the record', {}],
  ['instead of the record', { SINK_RECORD: 'false' }],
])('columns %s', (_, record) => {
  const typed = { SINK_COLUMNS: LIST, ...record };

  it('sync, delta and rollback keep them equal to the source', async () => {
    await using t = await setup(BOTH);
    expect(await t.run('sync --api_job_id 1', { ...job(1), ...typed })).toMatchObject({ code: EXIT.ok });
    expect(await rowsOf(t, 'name, pages')).toEqual({
      a: { name: 'Aachen', pages: 1 },
      b: { name: 'Bonn', pages: 2 },
    });
    t.source.put({ id: 'b', updated_at: at(), name: 'Berlin', pages: null }, { id: 'c', updated_at: at() });
    expect(await t.run('delta --api_job_id 2', { ...job(2), ...typed })).toMatchObject({ code: EXIT.ok });
    const changed = {
      a: { name: 'Aachen', pages: 1 },
      b: { name: 'Berlin', pages: null },
      c: { name: null, pages: null },
    };
    expect(await rowsOf(t, 'name, pages')).toEqual(changed);
    t.source.rows.delete('a');
    expect(await t.run('sync --api_job_id 3', { ...job(3), ...typed })).toMatchObject({ code: EXIT.ok });
    expect(Object.keys(await rowsOf(t, 'name'))).toEqual(['b', 'c']);
    const back = await t.run('rollback --api_job_id 4', { ...job(4), ...typed });
    expect(back).toMatchObject({ code: EXIT.ok });
    expect(await rowsOf(t, 'name, pages')).toEqual(changed);
  });
});
