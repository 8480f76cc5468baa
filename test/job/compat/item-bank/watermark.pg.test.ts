/** Watermarks of the item bank if GitLab's clock differs from ours. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type BankSetup, bankSetup } from '../../support/item-bank-setup.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How many minutes ago the watermark is. */
const minutesBack = async (t: BankSetup): Promise<number> =>
  Math.round((Date.now() - Number(await t.watermark())) / 60_000);

describe('the watermark of the item bank', () => {
  it.each([
    ['an hour ahead', HOUR_MS, 60, true],
    ['in the year 2100', 74 * 365 * DAY_MS, 60, true],
    ['an hour behind', -HOUR_MS, 120, true],
    ['the same', 0, 60, false],
    ['not told', null, 60, false],
  ])('with a GitLab clock %s lies an hour before the earlier clock', async (_, skew, minutes, warned) => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(3);
    t.gitlab.skewMs = skew;
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await minutesBack(t)).toBe(minutes);
    expect(t.last()).toMatchObject({ watermark: (await t.watermark())?.toISOString() });
    if (!warned) expect(t.last()?.warnings).toBeUndefined();
    else
      expect(t.last()?.warnings?.[0]).toMatch(
        /clock shows 2\d{3}-.*Z, this machine's 2\d{3}-.*Z: the watermark/,
      );
  });

  it('follows the earliest of all answers', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(3);
    // One of several servers, but not the one that lists.
    t.gitlab.bend = ({ what }) => {
      t.gitlab.skewMs = what === 'raw' ? -2 * HOUR_MS : 0;
      return undefined;
    };
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await minutesBack(t)).toBe(180);
  });

  it('is that of the first attempt after a resume', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(2);
    t.gitlab.skewMs = -HOUR_MS;
    t.gitlab.bend = ({ what }) => (what === 'raw' ? new Response('', { status: 418 }) : undefined);
    expect((await t.run('sync')).code).toBe(EXIT.itemsFailed);
    t.gitlab.skewMs = 0;
    t.gitlab.bend = null;
    expect((await t.resume('sync')).code).toBe(EXIT.ok);
    expect(await minutesBack(t)).toBe(120);
  });

  it('in the future is ignored: the delta checks every item and warns', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(120);
    await t.run('sync -c 8');
    await t.query(`UPDATE syncrator.sinks SET watermark = now() + interval '1 hour'`);
    // Two and a half hours ago: a delta that starts from an hour ahead does not look there.
    const old = new Date(Date.now() - 2.5 * HOUR_MS);
    bank.commit(7, { item: 7, revision: 2 }, { date: old });
    bank.projects.delete(9);
    const ended = await t.run('delta -c 8');
    expect(ended.code).toBe(EXIT.ok);
    expect(t.last()?.warnings?.[0]).toMatch(
      /^the watermark 2.*Z lies in the future, so every item is checked/,
    );
    expect(await t.stored()).toMatchObject(bank.latest());
    expect(await t.stored()).toHaveProperty('9');
    expect(await minutesBack(t)).toBe(60);
    expect((await t.run('delta')).output).toContain('projects were active since');
    expect(t.last()?.warnings).toBeUndefined();
  });
});
