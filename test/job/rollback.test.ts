import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { someRows } from './support/fake-source.ts';
import { namesOf, setup } from './support/setup.ts';

describe('rollback', () => {
  it('has nowhere to go before the second sync', async () => {
    await using t = await setup(someRows(3));
    expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
    await t.run('sync');
    const before = await t.md5();
    expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
    expect(await t.md5()).toBe(before);
    expect(t.receiver.reports.at(-1)?.message).toContain('no earlier data');
  });

  it('swaps, and swaps back', async () => {
    await using t = await setup(someRows(3));
    await t.run('sync');
    const first = await t.md5();
    t.source.put({ id: 'new', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
    await t.run('sync');
    const second = await t.md5();
    expect((await t.run('rollback')).code).toBe(EXIT.ok);
    expect([await t.md5(), await t.md5('cities__previous')]).toEqual([first, second]);
    await t.run('rollback');
    expect([await t.md5(), await t.md5('cities__previous')]).toEqual([second, first]);
  });

  it('takes the watermark along, so that the next delta misses nothing', async () => {
    await using t = await setup(someRows(10));
    await t.run('sync');
    // Changed long before the second sync as watermarks go, so that only the first one's watermark finds it.
    await t.query(`UPDATE syncrator_sink_state SET live_watermark = now() - interval '3 days'`);
    t.source.put({
      id: 'r00002',
      updated_at: new Date(Date.now() - 86_400_000).toISOString(),
      name: 'changed',
    });
    await t.run('sync');
    await t.run('rollback');
    expect((await t.names())?.['r00002']).toBe('row 2');
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});
