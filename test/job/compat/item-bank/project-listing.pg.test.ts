/** The listing of a group's projects while they change. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { answer } from '../../support/bend.ts';
import { bankSetup } from '../../support/item-bank-setup.ts';

describe('the list of projects', () => {
  it('misses no project when others are removed during the listing, with or without totals', async () => {
    for (const countsTo of [10_000, 0]) {
      await using t = await bankSetup();
      t.gitlab.bank.fill(320);
      t.gitlab.countsTo = countsTo;
      t.gitlab.bend = ({ what, query }) => {
        // Before each page: the next page moves up by two.
        if (what === 'projects' && query['page'] !== '1')
          for (const id of [Number(query['page']) * 7, Number(query['page']) * 7 + 1])
            t.gitlab.bank.projects.delete(id);
        return undefined;
      };
      expect((await t.run('sync -c 8')).code).toBe(EXIT.ok);
      expect(await t.stored()).toMatchObject(t.gitlab.bank.latest());
    }
  });

  it.each([
    ['three are removed and three added, so that the count stays', [5, 6, 7], 'new'],
    ['the shared project of two pages is removed', [99, 100, 101], 'new'],
    ['six are removed and three older ones are moved into the group', [5, 6, 7, 8, 9, 10], 'moved'],
  ])('misses no project when before the second page %s', async (_, gone, come) => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(220);
    const older = [50, 51, 52];
    if (come === 'moved') for (const id of older) bank.project(id).path = `elsewhere/item-${id}`;
    let done = false;
    t.gitlab.bend = ({ what, query }) => {
      if (what !== 'projects' || query['page'] !== '2' || done) return undefined;
      done = true;
      for (const id of gone) bank.projects.delete(id);
      if (come === 'moved') for (const id of older) bank.project(id).path = `item-bank/item-${id}`;
      else for (const id of [500, 501, 502]) bank.commit(bank.create(id).id, { item: id });
      return undefined;
    };
    expect((await t.run('sync -c 8')).code).toBe(EXIT.ok);
    const latest = bank.latest();
    // The listing had passed their new places: the next sync finds them.
    if (come === 'moved') for (const id of older) delete latest[id];
    expect(await t.stored()).toMatchObject(latest);
  });

  it('by activity misses no project either', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(250);
    await t.run('sync -c 8');
    for (let id = 1; id <= 150; id += 1)
      bank.commit(id, { item: id, revision: 2 }, { date: new Date(Date.now() + id) });
    let done = false;
    t.gitlab.bend = ({ what, query }) => {
      if (what !== 'projects' || query['page'] !== '2' || done) return undefined;
      done = true;
      for (const id of [148, 149, 150]) bank.projects.delete(id);
      return undefined;
    };
    expect((await t.run('delta -c 8')).code).toBe(EXIT.ok);
    expect(done).toBe(true);
    expect(await t.stored()).toMatchObject(bank.latest());
  });

  it('is aborted if every page is the same', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(220);
    await t.run('sync -c 8');
    const [before, watermark] = [await t.stored(), await t.watermark()];
    const listed = t.gitlab.bank;
    t.gitlab.bend = ({ what }) => {
      if (what !== 'projects') return undefined;
      const page = [...listed.projects.values()].slice(0, 100).map(({ id, path, lastActivityAt }) => ({
        id,
        path_with_namespace: path,
        last_activity_at: lastActivityAt.toISOString(),
      }));
      return Response.json(page, { headers: { link: '<http://x.test/?page=2>; rel="next"' } });
    };
    for (const action of ['sync', 'delete --force-delete']) {
      expect((await t.run(action)).code).toBe(EXIT.incompleteListing);
      expect(t.last()?.message).toContain('incomplete listing');
    }
    expect(await t.stored()).toEqual(before);
    expect(await t.watermark()).toEqual(watermark);
  });

  it('is aborted if its order is not the requested one, as with a cache that ignores the query', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(120);
    await t.run('sync -c 8');
    for (const project of t.gitlab.bank.projects.values())
      project.lastActivityAt = new Date(Date.UTC(2026, 0, 121 - project.id));
    t.gitlab.bank.commit(120, { item: 120, revision: 2 });
    const [before, watermark] = [await t.stored(), await t.watermark()];
    t.gitlab.bend = ({ what, query }) => {
      if (what !== 'projects') return undefined;
      const all = [...t.gitlab.bank.projects.values()].toSorted(
        (a, b) => a.lastActivityAt.getTime() - b.lastActivityAt.getTime() || b.id - a.id,
      );
      const page = Number(query['page']);
      const some = all.slice((page - 1) * 100, page * 100).map(({ id, path, lastActivityAt }) => ({
        id,
        path_with_namespace: path,
        last_activity_at: lastActivityAt.toISOString(),
      }));
      return Response.json(some, { headers: { 'x-total': '120' } });
    };
    for (const action of ['sync -c 8', 'delta', 'delete']) {
      expect((await t.run(action)).code).toBe(EXIT.failed);
      expect(t.last()?.message).toContain('in another order than requested');
    }
    expect(await t.stored()).toEqual(before);
    expect(await t.watermark()).toEqual(watermark);
  });

  it('is aborted if new projects never end, with or without totals', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(3);
    await t.run('sync');
    const [before, watermark] = [await t.stored(), await t.watermark()];
    let last = 0;
    t.gitlab.bend = ({ what, query }) => {
      if (what !== 'projects') return answer(404);
      const size = Number(query['per_page']);
      // Each page begins with the last project of the one before.
      const first = query['page'] === '1' ? 1 : last;
      last = first + size - 1;
      const page = Array.from({ length: size }, (_, n) => ({
        id: first + n,
        path_with_namespace: `item-bank/item-${first + n}`,
      }));
      const headers = { link: '<http://x.test/?page=2>; rel="next"', 'x-total': '100' };
      return Response.json(page, { headers });
    };
    for (const action of ['delete --force-delete', 'sync -c 8', 'delta -c 8']) {
      expect((await t.run(action)).code).toBe(EXIT.incompleteListing);
      expect(t.last()?.message).toMatch(/incomplete listing: \d{3} projects listed, but X-Total 100;/);
    }
    expect(await t.stored()).toEqual(before);
    expect(await t.watermark()).toEqual(watermark);
  });

  it('with fewer projects than the total makes sync warn, which imports the listed ones', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(20);
    t.gitlab.bend = ({ what }) => {
      if (what !== 'projects') return undefined;
      const page = [...bank.projects.values()].slice(0, 17);
      const listed = page.map(({ id, path }) => ({ id, path_with_namespace: path, default_branch: 'main' }));
      return Response.json(listed, { headers: { 'x-total': '20' } });
    };
    expect((await t.run('sync -c 8')).code).toBe(EXIT.ok);
    expect(t.last()).toMatchObject({ listing: 'unproven', added: 17 });
    expect(t.last()?.warnings).toEqual([
      'the listing may lack projects, whose items were not updated: 17 projects listed, X-Total 20; check that GITLAB_TOKEN can see the whole group',
    ]);
    t.gitlab.bend = null;
    expect((await t.run('sync -c 8')).code).toBe(EXIT.ok);
    expect(t.last()).toMatchObject({ listing: 'complete', added: 3 });
  });

  it('continues at the configured address whatever the links contain, so that the token goes nowhere else', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(120);
    const shown: unknown[] = [];
    const other = createServer((request, response) => {
      shown.push(request.headers);
      response.end('[]');
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    t.gitlab.base = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect((await t.run('sync -c 8')).code).toBe(EXIT.ok);
    expect(shown).toEqual([]);
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
  });
});
