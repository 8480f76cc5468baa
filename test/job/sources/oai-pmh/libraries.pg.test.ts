/** Jobs from repositories by libraries of PyPI, which know nothing of this program: `pyoai` and `oai_repo`. */
import { beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type BendingProxy, type Passing, startBendingProxy } from '../../../support/bending-proxy.ts';
import {
  oaiPython,
  type PythonRecord,
  type PythonRepository,
  startPythonRepository,
} from '../../../support/oai-pmh/python-repository.ts';
import { type Setup, setup } from '../../support/setup.ts';

const INSTALL_MS = 10 * 60_000;
const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
const idOf = (nth: number): string => `oai:x:${String(nth).padStart(3, '0')}`;

/** Each of a day of its own. */
function someRecords(count: number, more: Partial<PythonRecord> = {}): PythonRecord[] {
  return Array.from({ length: count }, (_, at) => ({
    id: idOf(at + 1),
    stamp: `${new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 19)}Z`,
    ...more,
  }));
}

type Place = AsyncDisposable & {
  readonly repository: PythonRepository;
  /** Between the program and the repository. */
  readonly proxy: BendingProxy;
  readonly t: Setup;
  /** @throws unless the job succeeds @returns its log */
  run(options: string, more?: Record<string, string>): Promise<string>;
  readonly code: (options: string) => Promise<number | null>;
  readonly report: () => ReturnType<Setup['receiver']['reports']['at']>;
  readonly titles: () => Promise<Record<string, string>>;
  /** The lists that were asked for since the last call, each as its first arguments and its number of pages. */
  readonly asked: () => { from?: string; until?: string; set?: string; pages: number }[];
};

async function place(library: 'pyoai' | 'oai_repo', records: readonly PythonRecord[]): Promise<Place> {
  const repository = await startPythonRepository(library);
  repository.put(...records);
  const proxy = await startBendingProxy(repository.url);
  const t = await setup();
  const attempt = (options: string, more: Record<string, string> = {}) =>
    t.run(options, { SOURCE: 'oai-pmh', SOURCE_URL: proxy.url, ...more });
  return {
    repository,
    proxy,
    t,
    async run(options, more) {
      const { code, output } = await attempt(options, more);
      expect([code, output]).toEqual([EXIT.ok, output]);
      return output;
    },
    code: async (options) => (await attempt(options)).code,
    report: () => t.receiver.reports.at(-1),
    titles: async () => (await t.names('cities', `record->'title'->>0`)) ?? {},
    asked: () => listsIn(proxy.passed.splice(0)),
    async [Symbol.asyncDispose]() {
      await t[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await repository[Symbol.asyncDispose]();
    },
  };
}

function listsIn(passed: readonly Passing[]): ReturnType<Place['asked']> {
  const lists: ReturnType<Place['asked']> = [];
  for (const { query } of passed) {
    const { verb = '', metadataPrefix: _prefix, resumptionToken, ...more } = query;
    if (!verb.startsWith('List')) continue;
    const last = lists.at(-1);
    if (resumptionToken === undefined || last === undefined) lists.push({ ...more, pages: 1 });
    else last.pages += 1;
  }
  return lists;
}

/** Bends the answer with each of these pages of a list once. */
function bendOnce(
  proxy: BendingProxy,
  bends: Record<number, Awaited<ReturnType<NonNullable<BendingProxy['after']>>>>,
) {
  const left = new Map(Object.entries(bends));
  let page = 0;
  proxy.after = ({ query }) => {
    if (!query['verb']?.startsWith('List')) return undefined;
    page += 1;
    const how = left.get(String(page));
    left.delete(String(page));
    // The next request is for the same page.
    if (how !== undefined) page -= 1;
    return how;
  };
  return left;
}

beforeAll(async () => void (await oaiPython((line) => console.log(`[test] ${line}`))), INSTALL_MS);

describe('a repository by pyoai, which marks no end of its lists and tells no size,', () => {
  it('is harvested over several pages; a record that its list only lacks stays', async () => {
    await using p = await place('pyoai', someRecords(45));
    await p.run('sync');
    expect(p.report()).toMatchObject({ added: 45, listing: 'unproven' });
    expect(p.asked()).toEqual([{ pages: 5 }]);
    p.repository.put({ id: idOf(2), stamp: now(), title: 'second' });
    p.repository.drop(idOf(1));
    await p.run('sync');
    expect(p.report()).toMatchObject({ added: 0, updated: 1, deleted: 0, kept: 1 });
    expect(p.report()?.warnings?.join()).toContain('the last page has no resumptionToken');
    expect(await p.code('delete')).toBe(EXIT.incompleteListing);
    expect(await p.titles()).toMatchObject({ [idOf(1)]: 'first', [idOf(2)]: 'second' });
  });

  it('tells deletions to a delta, which asks from the watermark on', async () => {
    await using p = await place('pyoai', someRecords(8));
    await p.run('sync');
    expect(p.report()).toMatchObject({ added: 8, listing: 'complete' });
    p.repository.put(
      { id: idOf(1), stamp: now(), isDeleted: true },
      { id: idOf(2), stamp: now(), title: 'second' },
      { id: idOf(9), stamp: now() },
    );
    p.asked();
    await p.run('delta');
    expect(p.report()).toMatchObject({ added: 1, updated: 1, deleted: 1 });
    const [list] = p.asked();
    expect(Date.parse(list?.from ?? '')).toBeGreaterThan(Date.now() - 7_200_000);
    p.repository.put({ id: idOf(1), stamp: now(), title: 'back' });
    await p.run('delta');
    expect(await p.titles()).toEqual({
      ...Object.fromEntries(someRecords(9).map(({ id }) => [id, 'first'])),
      [idOf(1)]: 'back',
      [idOf(2)]: 'second',
    });
  });

  it('does not end a list of changes provably, so that the next delta reads them again, and a sync asks for OAI_UNMARKED_END', async () => {
    await using p = await place('pyoai', someRecords(5));
    await p.run('sync');
    const { watermark } = await p.t.sink();
    p.repository.put(...someRecords(25, { stamp: now() }));
    await p.run('delta', { WATERMARK_MARGIN: '0s' });
    expect(p.report()).toMatchObject({ added: 20 });
    expect(p.report()?.warnings?.join()).toMatch(/the last page has no resumptionToken.*the watermark stays/);
    expect((await p.t.sink()).watermark).toEqual(watermark);
    // The list of everything has been a single page until now, which is proven complete.
    expect(await p.code('sync')).toBe(EXIT.incompleteListing);
    await p.run('delta', { OAI_UNMARKED_END: 'true', WATERMARK_MARGIN: '0s' });
    expect((await p.t.sink()).watermark?.getTime()).toBeGreaterThan(watermark?.getTime() ?? Infinity);
  });

  it('is synchronised whole once OAI_UNMARKED_END says that its lists end so', async () => {
    await using p = await place('pyoai', someRecords(5));
    await p.run('sync');
    p.repository.put(...someRecords(45));
    p.repository.drop(idOf(1), idOf(2));
    await p.run('sync', { OAI_UNMARKED_END: 'true' });
    expect(p.report()).toMatchObject({ added: 40, deleted: 2, listing: 'complete' });
  });

  it('removes what has a deleted header in a complete list, and asks for it once more', async () => {
    await using p = await place('pyoai', someRecords(8));
    await p.run('sync');
    p.repository.put({ id: idOf(3), stamp: now(), isDeleted: true });
    p.proxy.passed.length = 0;
    await p.run('sync');
    expect(p.report()).toMatchObject({ deleted: 1 });
    expect(p.proxy.passed.map(({ query }) => query['identifier'] ?? query['verb'])).toContain(idOf(3));
    p.repository.put({ id: idOf(4), stamp: now(), isDeleted: true });
    await p.run('delete');
    expect(Object.keys(await p.titles())).toHaveLength(6);
  });

  it('lists one set with those below it', async () => {
    await using p = await place('pyoai', [
      ...someRecords(12, { sets: ['maps:town', 'all'] }),
      { id: 'oai:x:map', stamp: now(), sets: ['maps'] },
      { id: 'oai:x:other', stamp: now(), sets: ['mapsx'] },
    ]);
    await p.run('sync', { OAI_SET: 'maps' });
    expect(p.report()).toMatchObject({ added: 13 });
    expect(p.asked()).toEqual([{ set: 'maps', pages: 2 }]);
    expect(Object.keys(await p.titles())).not.toContain('oai:x:other');
    const [row] = await p.t.query<{ sets: string[] }>(
      `SELECT record->'sets' AS sets FROM cities WHERE id = 'oai:x:001'`,
    );
    expect(row?.sets).toEqual(['all', 'maps:town']);
  });

  it('whose tokens expire is read in parts, by from and until', async () => {
    await using p = await place('pyoai', someRecords(64));
    p.repository.expireAfter(20);
    await p.run('sync');
    expect(p.report()).toMatchObject({ added: 64 });
    const lists = p.asked();
    expect(lists.slice(0, 2)).toEqual([{ pages: 3 }, { pages: 3 }]);
    expect(lists.some(({ from, until }) => from !== undefined && until !== undefined)).toBe(true);
  });

  it('is asked once more for a page that is cut within its XML, and after 503 with Retry-After', async () => {
    await using p = await place('pyoai', someRecords(45));
    const left = bendOnce(p.proxy, {
      2: { first: 1_500, ending: 'cut' },
      3: { first: 1_500, ending: 'end' },
      4: { status: 503, headers: { 'retry-after': '1' } },
      5: 'cut',
    });
    const began = performance.now();
    const output = await p.run('sync');
    expect(left.size).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(1_000);
    expect(output).toContain('retrying in 1 s');
    expect(p.report()).toMatchObject({ added: 45, records_done: 45 });
    expect(p.asked()).toEqual([{ pages: 9 }]);
    expect(await p.titles()).toEqual(Object.fromEntries(someRecords(45).map(({ id }) => [id, 'first'])));
  });

  it('that stays away half-way through a list ends the job, and changes nothing', async () => {
    await using p = await place('pyoai', someRecords(45));
    await p.run('sync');
    const before = await p.t.md5();
    p.repository.put(...someRecords(45, { title: 'second' }));
    p.proxy.after = ({ query }) =>
      query['resumptionToken'] === undefined ? undefined : { first: 900, ending: 'cut' };
    expect(await p.code('sync')).not.toBe(EXIT.ok);
    expect(await p.t.md5()).toBe(before);
  });
});

describe('a repository by oai_repo, which tells the size of its lists and no deletion,', () => {
  it('is synchronised by sync, delta and delete', async () => {
    await using p = await place('oai_repo', someRecords(45, { title: 'a & <b> – ß' }));
    await p.run('sync');
    expect(p.report()).toMatchObject({ added: 45, listing: 'complete' });
    expect(p.asked()).toEqual([{ pages: 5 }]);
    expect((await p.titles())[idOf(45)]).toBe('a & <b> – ß');
    p.repository.drop(idOf(1), idOf(2));
    await p.run('sync');
    expect(p.report()).toMatchObject({ added: 0, updated: 0, deleted: 2 });
    p.repository.put({ id: idOf(3), stamp: now(), title: 'second' }, { id: idOf(46), stamp: now() });
    await p.run('delta');
    expect(p.report()).toMatchObject({ added: 1, updated: 1, deleted: 0 });
    p.repository.drop(idOf(4));
    await p.run('delete');
    expect(p.report()).toMatchObject({ deleted: 1 });
    const found = await p.titles();
    expect(Object.keys(found)).toHaveLength(43);
    expect(found[idOf(3)]).toBe('second');
  });

  it('whose tokens a change makes invalid is read again from the beginning', async () => {
    await using p = await place('oai_repo', someRecords(45));
    let pages = 0;
    p.proxy.after = ({ query }) => {
      if (query['verb'] === 'ListRecords') pages += 1;
      if (pages === 3) p.repository.put({ id: idOf(1), stamp: now(), title: 'second' });
      return undefined;
    };
    await p.run('sync');
    expect(p.report()).toMatchObject({ added: 45, listing: 'complete' });
    expect(p.asked()).toEqual([{ pages: 4 }, { pages: 5 }]);
    expect(await p.titles()).toMatchObject({ [idOf(1)]: 'second' });
  });
});
