import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { bankSetup } from '../../support/item-bank-setup.ts';

const HOUR_MS = 3_600_000;

describe('delta of the item bank', () => {
  it('fails and asks for a sync if no sync has completed', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(1);
    expect((await t.run('delta')).code).toBe(EXIT.failed);
    expect(t.last()?.message).toContain('run sync first');
  });

  it('checks only projects that may have changed, including activity noted up to an hour late', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(250);
    await t.run('sync -c 16');
    const half = new Date(Date.now() - 30 * 60_000);
    bank.project(40).lastActivityAt = half;
    bank.commit(40, { item: 40, revision: 2 });
    expect(bank.project(40).lastActivityAt).toBe(half);
    bank.commit(250, { item: 250, revision: 2 });
    t.gitlab.calls.length = 0;
    expect((await t.run('delta -c 4')).code).toBe(EXIT.ok);
    expect(await t.stored()).toEqual(bank.latest());
    expect(t.gitlab.count('projects')).toBe(1);
    expect(t.gitlab.count('commits')).toBe(2);
    expect(t.last()).toMatchObject({ records_total: 2, updated: 2 });
  });

  it('moves the watermark only when all items are done', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(2);
    await t.run('sync');
    const before = await t.watermark();
    expect(Math.abs(Number(before) - (Date.now() - HOUR_MS))).toBeLessThan(60_000);
    await t.query(`UPDATE syncrator.sinks SET watermark = watermark - interval '1 day'`);
    t.gitlab.bank.commit(2, { item: 2, revision: 2 });
    t.gitlab.bend = ({ what }) => (what === 'raw' ? new Response('', { status: 418 }) : undefined);
    expect((await t.run('delta')).code).toBe(EXIT.itemsFailed);
    expect(Number(await t.watermark())).toBeLessThan(Number(before));
    t.gitlab.bend = null;
    expect((await t.resume('delta')).code).toBe(EXIT.ok);
    expect(Number(await t.watermark())).toBeGreaterThanOrEqual(Number(before));
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
  });

  it('with --item imports only these items, even before a sync, and keeps the watermark', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(5);
    expect((await t.run('delta --item 4 --item 2 --item 4')).code).toBe(EXIT.ok);
    expect(Object.keys((await t.stored()) ?? {}).toSorted()).toEqual(['2', '4']);
    expect(t.gitlab.count('projects')).toBe(0);
    expect(await t.watermark()).toBeNull();
    expect(t.last()).toMatchObject({ records_done: 2, records_total: 2, added: 2 });
  });
});
