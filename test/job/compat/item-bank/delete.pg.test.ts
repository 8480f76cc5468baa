import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { loginPage } from '../../../support/gitlab/gitlab.ts';
import { answer, bendItem } from '../../support/bend.ts';
import { type BankSetup, bankSetup } from '../../support/item-bank-setup.ts';

describe('delete of the item bank', () => {
  const remove = (t: BankSetup, ...ids: number[]) => ids.forEach((id) => t.gitlab.bank.projects.delete(id));

  it('removes items that are gone upstream, except ignored ones', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(120);
    await t.run('sync -c 8');
    remove(t, 1, 60, 120);
    expect((await t.run('delete', { GITLAB_IGNORE: '5' })).code).toBe(EXIT.ok);
    expect(t.last()).toMatchObject({ deleted: 3 });
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
  });

  it('removes items whose file is still removed, except ignored ones', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(120);
    await t.run('sync -c 8');
    for (const id of [2, 3, 4, 5]) bank.commit(id, null);
    expect((await t.run('delete')).code).toBe(EXIT.ok);
    // No sync or delta has run yet.
    expect(t.last()).toMatchObject({ deleted: 0 });
    expect((await t.run('delta')).code).toBe(EXIT.ok);
    const back = bank.commit(3, { item: 3, revision: 2 });
    remove(t, 7, 8);
    t.gitlab.bend = bendItem(4, 'commits', () => answer(404));
    const ended = await t.run('delete', { GITLAB_IGNORE: '5,8' });
    expect(ended.code).toBe(EXIT.ok);
    expect(ended.output).toContain('item 4 is kept, because its file may exist: commits: answered 404');
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
    // As if GITLAB_ITEM_FILE had changed.
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

  it.each([
    ['fewer are listed than GitLab counts', '120', '3 projects listed', 'X-Total 120'],
    ['GitLab counts fewer than it lists', '80', '117 projects listed', 'X-Total 80'],
    ['GitLab counts none', '0', '117 projects listed', 'X-Total 0'],
  ])('removes nothing when %s, even with --force-delete', async (_, total, listed, told) => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(120);
    await t.run('sync -c 8');
    const before = await t.stored();
    const few = listed.startsWith('3 ');
    remove(t, 118, 119, 120);
    t.gitlab.bend = ({ what, query }) => {
      if (what !== 'projects') return undefined;
      const size = Number(query['per_page']);
      const start = (Number(query['page']) - 1) * size;
      const all = [...bank.projects.values()].slice(0, few ? 3 : undefined);
      const page = all.slice(start, start + size).map(({ id, path }) => ({ id, path_with_namespace: path }));
      return Response.json(page, { headers: { 'x-total': total } });
    };
    for (const action of ['delete', 'delete --force-delete']) {
      const ended = await t.run(action);
      expect(ended.code).toBe(EXIT.incompleteListing);
      expect(t.last()?.message).toContain('incomplete listing');
      expect(t.last()?.message).toContain(listed);
      expect(t.last()?.message).toContain(told);
    }
    expect(await t.stored()).toEqual(before);
  });

  it('keeps items that GitLab does not list but still has, or may have', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(400);
    await t.run('sync -c 8');
    remove(t, 1, 2, 3);
    // Not listed and not counted: one exists, one may be hidden from the token, one does not answer.
    const answers: Record<number, Response | undefined> = { 6: answer(403), 7: answer(500) };
    t.gitlab.bend = ({ what, project }) => {
      if (what === 'projects') for (const id of [5, 6, 7]) bank.project(id).path = `elsewhere/item-${id}`;
      if (what === 'project') bank.project(5).path = 'item-bank/item-5';
      return what === 'project' ? answers[Number(project)]?.clone() : undefined;
    };
    const { output } = await t.run('delete');
    expect(output).toContain('item 5 is kept: its project exists although it was not listed');
    expect(output).toContain('item 6 is kept, because its project may exist: project: answered 403');
    expect(output).toContain('item 7 is kept, because its project may exist: project: answered 500');
    const kept = Object.keys((await t.stored()) ?? {}).map(Number);
    expect([5, 6, 7].filter((id) => kept.includes(id))).toEqual([5, 6, 7]);
  });

  it('removes nothing when the token is revoked during the re-check', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(120);
    await t.run('sync -c 8');
    const before = await t.stored();
    remove(t, 1, 2, 3);
    t.gitlab.bend = ({ what }) => (what === 'project' ? answer(401) : undefined);
    expect((await t.run('delete')).code).toBe(EXIT.sourceUnauthorized);
    expect(await t.stored()).toEqual(before);
  });

  it('re-checks each missing item if GitLab reports no total, and warns that the listing is unproven', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(120);
    t.gitlab.countsTo = 0;
    await t.run('sync -c 8');
    expect(t.last()).toMatchObject({ listing: 'unproven' });
    remove(t, 1, 2);
    bank.project(3).path = 'elsewhere/item-3';
    t.gitlab.calls.length = 0;
    const ended = await t.run('delete');
    expect(ended.code).toBe(EXIT.ok);
    expect(ended.output).toContain('117 projects listed, X-Total is missing: the listing is unproven');
    expect(t.gitlab.count('project')).toBe(3);
    const { 3: _elsewhere, ...latest } = bank.latest();
    expect(await t.stored()).toEqual(latest);
  });

  it('keeps an item that a page misses because another project was removed meanwhile', async () => {
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
    // They were removed during the listing; this delete or the next may remove their items.
    expect(stored).toEqual(t.gitlab.bank.latest());
  });

  it('removes only items that are gone, although the list changes all the time', async () => {
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
