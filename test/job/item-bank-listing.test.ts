/** The projects of a group, listed while they change. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { bankSetup } from './support/item-bank-setup.ts';

describe('the list of projects', () => {
  it('leaves none out when others go while it is read, counted or not', async () => {
    for (const countsTo of [10_000, 0]) {
      await using t = await bankSetup();
      t.gitlab.bank.fill(320);
      t.gitlab.countsTo = countsTo;
      t.gitlab.bend = ({ what, query }) => {
        // Before each page: the next one moves up by two.
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
    ['three went and three came, so that as many are counted', [5, 6, 7], 'new'],
    ['the very one went that two pages share', [99, 100, 101], 'new'],
    ['six went and three older ones were moved into the group', [5, 6, 7, 8, 9, 10], 'moved'],
  ])('leaves none out when before the second page %s', async (_, gone, come) => {
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
    // Where they came to, the reading had been: they are the next sync's.
    if (come === 'moved') for (const id of older) delete latest[id];
    expect(await t.stored()).toMatchObject(latest);
  });

  it('by activity leaves none out either', async () => {
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

  it('ends when the same page comes whatever is asked for', async () => {
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
      expect((await t.run(action)).code).toBe(EXIT.failed);
      expect(t.last()?.message).toContain('incomplete listing');
    }
    expect(await t.stored()).toEqual(before);
    expect(await t.watermark()).toEqual(watermark);
  });

  it('goes on at our own address, whatever the links say: the token is shown to nobody else', async () => {
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
