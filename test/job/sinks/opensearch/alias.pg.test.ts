/** Whose index an alias shows, which indexes are deleted, and what keeps an older run from writing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { Passing } from '../../../support/bending-proxy.ts';
import { type OpenSearch, startOpenSearch } from '../../../support/opensearch/opensearch.ts';
import { someRows } from '../../support/fake-source.ts';
import { type OpenSearchSetup, openSearchSetup } from '../../support/opensearch-setup.ts';
import { namesOf } from '../../support/setup.ts';

let server: OpenSearch;
beforeAll(async () => {
  server = await startOpenSearch();
}, 660_000); // the first run gets OpenSearch from Maven Central
afterAll(() => server?.stop());

const said = (t: OpenSearchSetup): string => t.receiver.reports.at(-1)?.message ?? '';
const ACTIONS = ['sync', 'delta', 'delete', 'rollback'];
const theirs = { name: 'theirs' };
const move = (index: string, alias: string, from?: string) =>
  server.call('POST', '_aliases', {
    actions: [...(from === undefined ? [] : [{ remove: { index: from, alias } }]), { add: { index, alias } }],
  });

describe("somebody else's index", () => {
  it('of the name of the alias is refused and stays', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await server.call('PUT', `${t.alias}/_doc/a`, theirs);
    for (const action of [...ACTIONS, 'take-over']) {
      expect((await t.run(action)).code, action).toBe(EXIT.notConfigured);
      expect(said(t)).toBe(
        `OpenSearch: ${t.alias} is an index, not an alias; set SINK_INDEX to a name that is free; nothing was touched`,
      );
    }
    expect(await server.documents(t.alias)).toEqual({ a: theirs });
    await server.call('DELETE', t.alias);
  });

  it('under the alias is refused and stays, also by a take-over', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    const other = `other-of-${t.alias}`;
    await server.call('PUT', `${other}/_doc/a`, theirs);
    await move(other, t.alias);
    for (const action of [...ACTIONS, 'take-over']) {
      expect((await t.run(action)).code, action).toBe(EXIT.sinkReplaced);
      expect(said(t)).toContain(`the alias ${t.alias} points to ${other}, which`);
      expect(said(t)).toContain('remove the alias from it, or set SINK_INDEX to another name');
    }
    await server.call('PUT', `${other}-2/_doc/a`, theirs);
    await move(`${other}-2`, t.alias);
    expect((await t.run('sync')).code).toBe(EXIT.notConfigured);
    expect(said(t)).toMatch(/points to several indexes \(other-of-cities\d+, other-of-cities\d+-2\)/);
    for (const index of [other, `${other}-2`]) {
      expect(await server.documents(index)).toEqual({ a: theirs });
      await server.call('DELETE', index);
    }
  });

  it('that takes the alias at the last moment keeps it: the switch is a compare-and-swap', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync');
    const before = (await t.live()) ?? '';
    await server.call('PUT', `thief-of-${t.alias}/_doc/a`, theirs);
    t.proxy.before = async ({ path, body }) => {
      if (path !== '_aliases' || !body.includes(`"alias":"${t.alias}"`)) return undefined;
      t.proxy.before = null;
      await move(`thief-of-${t.alias}`, t.alias, before);
      return undefined;
    };
    expect((await t.run('sync')).code).toBe(EXIT.failed);
    expect(said(t)).toContain('stop other programs that move it');
    expect(await t.names()).toEqual({ a: 'theirs' });
    expect((await t.run('sync')).code).toBe(EXIT.sinkReplaced);
    await move(before, t.alias, `thief-of-${t.alias}`);
    expect((await t.run('rollback')).code, 'what no reader has seen').toBe(EXIT.nothingToRollBack);
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(3)));
    expect(await t.indexes()).toHaveLength(2);
    await server.call('DELETE', `thief-of-${t.alias}`);
  });

  it('made under the name of ours is refused', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync');
    const ours = (await t.live()) ?? '';
    await server.call('DELETE', ours);
    expect((await t.run('delta')).code).toBe(EXIT.sinkReplaced);
    expect(said(t)).toContain(`the alias ${t.alias} is gone, which the last job left on ${ours}`);
    await server.call('PUT', ours, { aliases: { [t.alias]: {} } });
    await server.call('PUT', `${ours}/_doc/a`, theirs);
    for (const action of ['sync', 'delta', 'delete'])
      expect((await t.run(action)).code).toBe(EXIT.sinkReplaced);
    expect(await server.documents(ours)).toEqual({ a: theirs });
  });
});

describe('an index that somebody removes or makes anew', () => {
  it('before the alias moved to it undoes that move: the job is not taken for done', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync --api_job_id 1');
    const before = (await t.live()) ?? '';
    t.source.put({ id: 'r00001', updated_at: new Date().toISOString(), name: 'new' });
    for (const remade of [false, true]) {
      t.proxy.before = ({ path, body }) =>
        path === '_aliases' && body.includes(`"alias":"${t.alias}"`) ? { status: 400 } : undefined;
      expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.failed);
      t.proxy.before = null;
      const to = (await t.state()).move?.to ?? '';
      await server.call('DELETE', to);
      if (remade) await server.call('PUT', `${to}/_doc/a`, theirs);
      const again = await t.run('sync --api_job_id 2');
      expect(again.code).toBe(EXIT.ok);
      expect(again.output).toContain('the interrupted switch is undone');
      expect((await t.state()).earlier_runs['sync'], 'the run of this job alone').toHaveLength(1);
      expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
      expect((await t.run('rollback')).code).toBe(EXIT.ok);
      expect(await t.live()).toBe(before);
      if (remade) expect(await server.documents(to)).toEqual({ a: theirs });
      await t.run('take-over');
    }
  });

  it('is not deleted in place of ours', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync');
    const first = (await t.live()) ?? '';
    await t.run('sync');
    await server.call('DELETE', first);
    await server.call('PUT', `${first}/_doc/a`, theirs);
    const ended = await t.run('sync');
    expect(ended.code).toBe(EXIT.ok);
    expect(ended.output).toContain(`${first} was made anew by somebody else: it stays`);
    expect(await server.documents(first)).toEqual({ a: theirs });
  });
});

describe('a take-over', () => {
  it('keeps what an earlier installation made when its state is lost; a sync then begins anew', async () => {
    await using t = await openSearchSetup(server, someRows(20));
    await t.run('sync --api_job_id 9');
    const before = await t.live();
    await server.call('DELETE', `syncrator-state/_doc/${t.alias}?refresh=true`);
    expect((await t.run('delta')).code).toBe(EXIT.sinkReplaced);
    expect(said(t)).toContain('to keep it live until the next sync, take it over: syncrator sink take-over');
    expect((await t.run('take-over')).code).toBe(EXIT.ok);
    expect(await t.live()).toBe(before);
    expect((await t.run('delta')).code).toBe(EXIT.failed);
    expect(said(t)).toContain('run sync first');
    for (const { id } of someRows(6)) t.source.rows.delete(id);
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1), 'the guard knows what is live').toMatchObject({ deleted: 0, held: 6 });
    expect((await t.run('rollback')).code).toBe(EXIT.ok);
    expect(await t.live()).toBe(before);
  });

  it('lets later runs write to the index that it keeps, however many runs wrote to it before', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync');
    for (const name of ['1', '2', '3']) {
      t.source.put({ id: 'r00001', updated_at: new Date().toISOString(), name });
      expect((await t.run('delta')).code).toBe(EXIT.ok);
    }
    const lost = await t.state();
    await t.setState((state) => ({ ...state, epoch: lost.epoch - 3 }));
    t.source.put({ id: 'r00001', updated_at: new Date().toISOString(), name: 'after a snapshot' });
    expect(await t.run('delta')).toMatchObject({ code: EXIT.ok });
    expect(await t.names()).toMatchObject({ r00001: 'after a snapshot' });
    await server.call('DELETE', `syncrator-state/_doc/${t.alias}?refresh=true`);
    expect((await t.run('take-over')).code).toBe(EXIT.ok);
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  });
});

describe('an index that is no longer needed', () => {
  it('is deleted at the next switch: the live one and the one before it are kept', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    const seen: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      expect((await t.run('sync')).code).toBe(EXIT.ok);
      seen.push((await t.live()) ?? '');
      expect(await t.indexes()).toEqual(seen.slice(-2).toSorted());
    }
    t.source.rows.clear();
    expect((await t.run('sync')).code).toBe(EXIT.deleteGuard);
    expect(await t.indexes(), 'a load that was refused').toEqual(seen.slice(-2).toSorted());
  });

  it("stays if somebody else's alias shows it", async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync');
    const first = (await t.live()) ?? '';
    await move(first, `report-of-${t.alias}`);
    await t.run('sync');
    const ended = await t.run('sync');
    expect(ended.code).toBe(EXIT.ok);
    expect(ended.output).toContain(
      `${first} is no longer needed, but the alias report-of-${t.alias} shows it`,
    );
    expect(await t.names(`report-of-${t.alias}`)).toEqual(namesOf(someRows(3)));
    expect((await t.state()).obsolete).toEqual([]);
  });
});

describe('a request of an older run', () => {
  /** What the last bulk request of the program was. */
  const lastBulk = (t: OpenSearchSetup): Passing | undefined =>
    t.proxy.passed.findLast(({ path }) => path.endsWith('/_bulk'));
  /** Sends it again, as a hung connection would. */
  const late = async ({ path, query, body }: Passing, instead = path) => {
    const search = new URLSearchParams({ require_alias: query['require_alias'] ?? '' }).toString();
    const answer = await fetch(`${server.url}${instead}?${search}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    return JSON.stringify(await answer.json());
  };

  it('to write or delete arrives in no index once a newer run has begun, and makes none', async () => {
    await using t = await openSearchSetup(server, someRows(20));
    await t.run('sync');
    t.source.put({ id: 'r00001', updated_at: new Date().toISOString(), name: 'older' });
    t.source.rows.delete('r00020');
    await t.run('delta');
    const write = lastBulk(t);
    await t.run('delete');
    const removal = lastBulk(t);
    if (!write || !removal) throw new Error('no bulk request passed');
    expect(removal.body).toContain('"delete"');
    t.source.put({ id: 'r00020', updated_at: new Date().toISOString(), name: 'back' });
    t.source.put({ id: 'r00001', updated_at: new Date().toISOString(), name: 'newer' });
    for (const action of ['delta', 'sync']) {
      await t.run(action);
      for (const request of [write, removal])
        expect(await late(request)).toContain('index_not_found_exception');
      expect(await t.names(), action).toEqual(namesOf(t.source.rows.values()));
    }
    expect(await t.indexes()).toHaveLength(2);
  });

  it('that was on its way already does not overwrite documents of the newer run', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync');
    t.source.put({ id: 'r00001', updated_at: new Date().toISOString(), name: 'older' });
    await t.run('delta');
    const write = lastBulk(t);
    t.source.put({ id: 'r00001', updated_at: new Date().toISOString(), name: 'newer' });
    await t.run('delta');
    const current = lastBulk(t)?.path;
    if (!write || current === undefined) throw new Error('no bulk request passed');
    expect(await late(write, current)).toContain('version_conflict_engine_exception');
    expect(await t.names()).toMatchObject({ r00001: 'newer' });
  });

  it('keeps a run that lost its fence at the last moment from moving the alias', async () => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync --api_job_id 1');
    const before = await t.live();
    t.source.put({ id: 'new', updated_at: new Date().toISOString(), name: 'new' });
    t.proxy.before = async ({ path }) => {
      if (!path.endsWith('/_refresh')) return undefined;
      t.proxy.before = null;
      const newer = t.sink({ jobId: 3, action: 'delta' });
      await newer.open();
      return undefined;
    };
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.fenced);
    expect(await t.live()).toBe(before);
  });

  it.each([
    ['reads the aliases', 'GET'],
    ['changes them', 'POST'],
  ])('takes its place again from no newer run, which came before it %s', async (_, at) => {
    await using t = await openSearchSetup(server, someRows(3));
    await t.run('sync');
    const index = (await t.live()) ?? '';
    t.proxy.before = async ({ method, path, body }) => {
      const now = path === index || (path === '_aliases' && body.includes('-run-'));
      if (!now || method !== at) return undefined;
      t.proxy.before = null;
      await t.sink({ jobId: 3, action: 'delta' }).open();
      return undefined;
    };
    await expect(t.sink({ jobId: 2, action: 'delta' }).open()).rejects.toMatchObject({ code: 'fenced' });
    const held = (await server.call('GET', `${index}/_alias`))[index] as { aliases: object };
    const { epoch } = await t.state();
    expect(Object.keys(held.aliases).toSorted()).toEqual([t.alias, `${index}-run-${epoch}`].toSorted());
  });
});

it('readers see one complete generation at every moment', { timeout: 120_000 }, async () => {
  const rows = (name: string) => someRows(400).map((row) => ({ ...row, name }));
  await using t = await openSearchSetup(server, rows('old'));
  await t.run('sync');
  t.source.put(...rows('new'));
  const seen = new Set<string>();
  let looks = 0;
  let over = false;
  const reader = (async () => {
    while (!over) {
      const { hits } = (await server.call('GET', `${t.alias}/_search?size=1000`)) as {
        hits: { hits: { _source: { name: string } }[] };
      };
      const names = hits.hits.map(({ _source: { name } }) => name);
      seen.add(`${names.length} ${[...new Set(names)].join(' and ')}`);
      looks += 1;
    }
  })();
  const ended = await t.run('sync -n 20 -c 2');
  over = true;
  await reader;
  expect(ended.code).toBe(EXIT.ok);
  expect(looks).toBeGreaterThan(10);
  expect(['400 old', '400 new']).toEqual(expect.arrayContaining([...seen]));
  expect(await t.names()).toEqual(namesOf(rows('new')));
});
