import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { loginPage } from '../support/gitlab/gitlab.ts';
import { answer, bendItem } from './support/bend.ts';
import { type BankSetup, bankSetup } from './support/item-bank-setup.ts';

describe('delete of the item bank', () => {
  const remove = (t: BankSetup, ...ids: number[]) => ids.forEach((id) => t.gitlab.bank.projects.delete(id));

  it('removes what is gone upstream, and no ignored item', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(120);
    await t.run('sync -c 8');
    remove(t, 1, 60, 120);
    expect((await t.run('delete', { GITLAB_IGNORE: '5' })).code).toBe(EXIT.ok);
    expect(t.last()).toMatchObject({ deleted: 3 });
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
  });

  it('removes the items whose file was removed, where that is so still, and no ignored one', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(120);
    await t.run('sync -c 8');
    for (const id of [2, 3, 4, 5]) bank.commit(id, null);
    expect((await t.run('delete')).code).toBe(EXIT.ok);
    // No sync or delta has looked yet.
    expect(t.last()).toMatchObject({ deleted: 0 });
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    const back = bank.commit(3, { item: 3, revision: 2 });
    remove(t, 7, 8);
    t.gitlab.bend = bendItem(4, 'commits', () => answer(404));
    const ended = await t.run('delete', { GITLAB_IGNORE: '5,8' });
    expect(ended.code).toBe(EXIT.ok);
    expect(ended.output).toContain('item 4 is kept, since its file may be there: commits: answered 404');
    const ids = Object.keys((await t.stored()) ?? {}).map(Number);
    expect([2, 3, 4, 5, 7, 8].filter((id) => ids.includes(id))).toEqual([3, 4, 5, 8]);
    expect(ids).toHaveLength(118);

    t.gitlab.bend = null;
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    expect((await t.run('delete')).code).toBe(EXIT.ok);
    expect(await t.stored()).toEqual(bank.latest());
    expect(bank.latest()).toMatchObject({ 3: back.sha });
  });

  it('refuses to remove the items of many removed files at once', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(100);
    await t.run('sync -c 8');
    const before = await t.stored();
    // As when GITLAB_ITEM_FILE is not what it was.
    for (let id = 1; id <= 30; id += 1) t.gitlab.bank.commit(id, null);
    await t.run('delta -c 8');
    expect((await t.run('delete')).code).toBe(EXIT.deleteGuard);
    expect(await t.stored()).toEqual(before);
    expect((await t.run('delete --force-delete')).code).toBe(EXIT.ok);
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
  });

  it.each([
    ['a large part', 30, EXIT.deleteGuard],
    ['all', 100, EXIT.deleteGuard],
  ])('refuses to remove %s', async (_, gone, code) => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(100);
    await t.run('sync -c 8');
    const before = await t.stored();
    for (let id = 1; id <= gone; id += 1) remove(t, id);
    expect((await t.run('delete')).code).toBe(code);
    expect(await t.stored()).toEqual(before);
    expect((await t.run('delete --force-delete')).code).toBe(gone === 100 ? EXIT.deleteGuard : EXIT.ok);
  });

  it.each([
    ['a page fails', () => answer(500), EXIT.failed],
    ['a page is a login page', loginPage, EXIT.failed],
    ['a page is empty of words', () => new Response(''), EXIT.failed],
  ])('removes nothing when %s', async (_, how, code) => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(120);
    await t.run('sync -c 8');
    const before = await t.stored();
    remove(t, 1);
    t.gitlab.bend = ({ query }) => (query['page'] === '2' ? how() : undefined);
    expect((await t.run('delete --force-delete')).code).toBe(code);
    expect(await t.stored()).toEqual(before);
  });

  it('removes none that a page lost because another went while it was read', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(220);
    await t.run('sync -c 8');
    let gone = 0;
    t.gitlab.bend = ({ what, query }) => {
      if (what === 'projects' && query['page'] === '2' && gone < 2) remove(t, (gone += 1));
      return undefined;
    };
    expect((await t.run('delete')).code).toBe(EXIT.ok);
    expect(gone).toBe(2);
    const { 1: _1, 2: _2, ...stored } = (await t.stored()) ?? {};
    // They went while the listing was read; they may be removed by this one or by the next.
    expect(stored).toEqual(t.gitlab.bank.latest());
  });

  it('removes what is gone and no other, though the list never stands still', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(220);
    await t.run('sync -c 8');
    remove(t, 220);
    let gone = 0;
    t.gitlab.bend = ({ what, query }) => {
      if (what === 'projects' && query['page'] !== '1') remove(t, (gone += 1));
      return undefined;
    };
    expect((await t.run('delete')).code).toBe(EXIT.ok);
    expect(gone).toBeGreaterThan(2);
    const stored = (await t.stored()) ?? {};
    expect(stored).toMatchObject(t.gitlab.bank.latest());
    expect(Object.keys(stored)).not.toContain('220');
  });
});
