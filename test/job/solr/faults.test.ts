import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { createSolrSink } from '../../../src/job/sinks/solr/solr-sink.ts';
import { type Solr, startSolr } from '../../support/solr/solr.ts';
import { someRows } from '../support/fake-source.ts';
import { namesOf } from '../support/setup.ts';
import { startSolrProxy } from '../../support/solr/solr-proxy.ts';
import { type SolrSetup, solrSetup } from '../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 120_000);
afterAll(() => solr?.stop());

const said = (t: SolrSetup): string => t.receiver.reports.at(-1)?.message ?? '';
const changed = (count: number) =>
  someRows(count, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' }));

describe('the fence', () => {
  it.each(['sync', 'delta', 'delete', 'rollback'])('lets no %s of an older job begin', async (action) => {
    await using t = await solrSetup(solr, someRows(20));
    await t.run('sync --api_job_id 7');
    await t.run('sync --api_job_id 8');
    t.source.put(...changed(2));
    t.source.rows.delete('r00009');
    const before = [await t.names(), await t.aliases(), await t.state()];
    expect((await t.run(`${action} --api_job_id 7`)).code).toBe(EXIT.fenced);
    expect([await t.names(), await t.aliases(), await t.state()]).toEqual(before);
    expect(said(t)).toContain('newer job');
  });

  it('lets the same job come again, and a stand-alone run pass', async () => {
    await using t = await solrSetup(solr, someRows(3));
    for (const options of ['sync --api_job_id 7', 'sync --api_job_id 7', 'sync', 'sync --api_job_id 7']) {
      expect((await t.run(options)).code).toBe(EXIT.ok);
    }
    expect(await t.state()).toMatchObject({ highest_job_id: 7 });
  });

  it.each(['delta -n 5', 'delta -n 5 -c 3', 'sync -n 5', 'sync -n 5 -c 3'])(
    'stops an older %s in mid work: no batch after the newer claim is written',
    async (options) => {
      await using t = await solrSetup(solr, someRows(40));
      await t.run('sync --api_job_id 1');
      t.source.put(...changed(40));
      t.source.pageSize = 10;
      const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
      t.source.bend = ({ query }) => (query['after'] === 'r00020' ? held : undefined) as undefined;
      const older = t.run(`${options} --api_job_id 2`);
      const place = options.startsWith('sync') ? `${t.app}_a` : t.app;
      const written = async (): Promise<number> => {
        await solr.call(`${place}/update`, { commit: {} });
        return Object.values(await t.names(place)).filter((name) => name === 'changed').length;
      };
      // Of the 20 that come, a delta holds the last batch back until it knows whether it is the last of all.
      await expect.poll(written, { timeout: 20_000 }).toBe(options.startsWith('sync') ? 20 : 15);
      await t.setState((state) => ({ ...state, highest_job_id: 3 }));
      const then = await written();
      release(undefined);
      expect((await older).code).toBe(EXIT.fenced);
      expect(await written()).toBe(then);
    },
  );

  it('lets no older job switch', async () => {
    await using t = await solrSetup(solr, someRows(10));
    await t.run('sync --api_job_id 1');
    const before = await t.aliases();
    t.proxy.before = async ({ body }) => {
      if (!body.includes('waitSearcher')) return undefined;
      t.proxy.before = null;
      await t.setState((state) => ({ ...state, highest_job_id: 3 }));
      return undefined;
    };
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.fenced);
    expect(await t.aliases()).toMatchObject({ primary: before.primary, standby: before.standby });
  });

  it.each([
    ['another run took its load', '00000000-0000-4000-8000-000000000000', 2],
    ['a newer job came', null, 3],
  ])('lets no run switch when %s at the last moment', async (_, loadId, highest_job_id) => {
    await using t = await solrSetup(solr, someRows(10));
    await t.run('sync --api_job_id 1');
    const before = await t.aliases();
    // Asked for between the last look and the compare-and-set.
    t.proxy.before = async ({ query }) => {
      if (query['action'] !== 'CLUSTERSTATUS') return undefined;
      t.proxy.before = null;
      await t.setState(({ load, ...state }) => ({
        ...state,
        highest_job_id,
        load: { ...(load as object), ...(loadId ? { id: loadId } : {}) },
      }));
      return undefined;
    };
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.fenced);
    expect(await t.aliases()).toMatchObject({ primary: before.primary, standby: before.standby });
  });

  it('stops the older of two loads, whose place the newer has taken', async () => {
    await using t = await solrSetup(solr, someRows(40));
    t.source.pageSize = 10;
    const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
    t.source.bend = (listing) => (listing.query['after'] === 'r00020' ? held : undefined) as undefined;
    const zombie = t.run('sync -n 5 --api_job_id 2');
    const done = async () => ((await t.state()) as { load?: { done: number } | null }).load?.done;
    await expect.poll(done, { timeout: 20_000 }).toBe(20);
    t.source.bend = null;
    expect((await t.run('sync -n 5 --api_job_id 2')).code).toBe(EXIT.ok);
    release(undefined);
    expect((await zombie).code).toBe(EXIT.fenced);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect((await t.aliases()).primary).toBe('b');
  });
});

describe('Solr in trouble', () => {
  it('that loses the answer to every change once changes nothing but the time it takes', {
    timeout: 120_000,
  }, async () => {
    await using t = await solrSetup(solr, someRows(30));
    const lost = new Set<string>();
    let losses = 0;
    t.proxy.after = ({ method, path, query, body }) => {
      const changes = method === 'POST' || /CREATE|DELETE/.test(query['action'] ?? '');
      const key = `${path}${JSON.stringify(query)}${body}`;
      if (!changes || lost.has(key)) return undefined;
      lost.add(key);
      losses += 1;
      return 'cut';
    };
    expect(await t.run('sync -n 10 --api_job_id 1')).toMatchObject({ code: EXIT.ok });
    expect(losses).toBeGreaterThan(10);
    t.source.put(...changed(5));
    t.source.rows.delete('r00030');
    expect((await t.run('delta --api_job_id 2')).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ added: 0, updated: 5 });
    expect((await t.run('delete --api_job_id 3')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect(await t.state()).toMatchObject({ highest_job_id: 3, move: null, load: null });
  });

  it('that answers 503 and 429 for a while is waited for', async () => {
    await using t = await solrSetup(solr, someRows(10));
    let refused = 0;
    t.proxy.before = () => {
      refused += 1;
      if (refused % 3 === 1) return { status: 503 };
      return refused % 3 === 2 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
    };
    const sink = createSolrSink({
      settings: { kind: 'solr', url: t.proxy.url, app: { name: t.app, key: 'SOLR_APP' }, env: null },
      given: { action: 'delta', jobId: 1, switchSolrAlias: false, targetEnv: null, target: null },
    });
    await sink.open();
    expect(await sink.liveWatermark()).toBeNull();
    expect(refused).toBeGreaterThan(5);
  });

  it('that answers 503 for good ends the run with its words, the aliases as they were', async () => {
    await using t = await solrSetup(solr, someRows(10));
    await t.run('sync');
    const before = await t.names();
    t.proxy.before = ({ path }) =>
      path === `${t.app}-sync/update` ? { status: 503, body: { error: { msg: 'no leader' } } } : undefined;
    expect((await t.run('sync')).code).toBe(EXIT.failed);
    expect(said(t)).toBe(`sink: Solr ${t.app}-sync/update: answered 503: no leader`);
    expect(await t.names()).toEqual(before);
    t.proxy.before = null;
    expect((await t.run('sync')).code).toBe(EXIT.ok);
  });

  it('that is down is told as that, without the credentials', async () => {
    await using t = await solrSetup(solr, someRows(10));
    const gone = await startSolrProxy(solr.url);
    await gone[Symbol.asyncDispose]();
    const ended = await t.run('sync', { SOLR_URL: gone.url.replace('//', '//admin:gran%40ola@') });
    expect(ended.code).toBe(EXIT.failed);
    expect(said(t)).toContain('sink: Solr admin/collections:');
    expect(said(t)).toContain('ECONNREFUSED');
    expect(ended.output + JSON.stringify(t.receiver.reports)).not.toContain('gran');
    expect(t.receiver.reports.at(-1)).toMatchObject({
      target_datastore_url: gone.url.replace('//', '//<FILTERED>@'),
    });
  });

  it('that stalls is given up after the deadline', async () => {
    await using t = await solrSetup(solr, someRows(10));
    t.proxy.before = ({ query }) => (query['action'] === 'LISTALIASES' ? 'stall' : undefined);
    const sink = createSolrSink({
      settings: { kind: 'solr', url: t.proxy.url, app: { name: t.app, key: 'SOLR_APP' }, env: null },
      given: { action: 'delta', jobId: 1, switchSolrAlias: false, targetEnv: null, target: null },
      deadlineMs: 300,
    });
    await expect(sink.open()).rejects.toThrow('sink: Solr admin/collections: no answer within 0.3 s');
  });

  it('that wants credentials gets them in the header alone, and its refusal is told as one of settings', async () => {
    await using t = await solrSetup(solr, someRows(3));
    const wanted = `Basic ${Buffer.from('admin:gran@ola').toString('base64')}`;
    t.proxy.before = ({ authorization }) => (authorization === wanted ? undefined : { status: 401 });
    const url = (password: string): string => t.proxy.url.replace('//', `//admin:${password}@`);
    const good = await t.run('sync --debug', { SOLR_URL: url('gran%40ola') });
    expect(good.code).toBe(EXIT.ok);
    const bad = await t.run('delta --debug', { SOLR_URL: url('wrongpass') });
    expect(bad.code).toBe(EXIT.notConfigured);
    expect(said(t)).toContain('answered 401: in trouble');
    expect(good.output + bad.output + JSON.stringify(t.receiver.reports)).not.toMatch(/gran|wrongpass/);
  });

  it.each([
    ['a server that is no Solr', { status: 200, body: { hello: 'there' } }, 'something else than expected'],
    ['an error that is not JSON', { status: 500, body: 'x' }, 'answered 500'],
    ['a redirect', { status: 302, headers: { location: 'http://elsewhere/' } }, 'answered 302'],
  ])('is told in words: %s', async (_, answer, words) => {
    await using t = await solrSetup(solr, someRows(3));
    t.proxy.before = () => answer;
    expect((await t.run('delta')).code).toBe(EXIT.failed);
    expect(said(t)).toContain(words);
  });

  it('that answers from a part of its shards is not believed', async () => {
    await using t = await solrSetup(solr, someRows(3));
    await t.run('sync');
    t.proxy.after = ({ path }) =>
      path.endsWith('/select')
        ? {
            status: 200,
            body: { responseHeader: { partialResults: true }, response: { numFound: 0, docs: [] } },
          }
        : undefined;
    expect((await t.run('delete')).code).toBe(EXIT.failed);
  });
});

describe('the aliases a run is meant for', () => {
  it('must be there, each of one collection', async () => {
    await using t = await solrSetup(solr, someRows(3));
    expect((await t.run('delta', { SOLR_APP: 'nobody' })).code).toBe(EXIT.notConfigured);
    expect(said(t)).toContain('there is no alias nobody');
    await solr.alias(`${t.app}-standby`, `${t.app}_a,${t.app}_b`);
    expect((await t.run('sync')).code).toBe(EXIT.notConfigured);
    expect(said(t)).toContain('several collections');
  });

  it('must not share the standby with anybody', async () => {
    await using t = await solrSetup(solr, someRows(3));
    await solr.alias('somebody-elses', `${t.app}_b`);
    await solr.call(`${t.app}_b/update?commit=true`, [{ id: 'theirs', name: 'theirs' }]);
    expect((await t.run('sync')).code).toBe(EXIT.notConfigured);
    expect(said(t)).toContain('somebody-elses');
    expect(await t.names('somebody-elses')).toEqual({ theirs: 'theirs' });
    await solr.alias('somebody-elses', `${t.app}_a`);
  });
});

describe('the collection of the state', () => {
  it.each([
    ['_default', ['_default', 'catalogue']],
    ['catalogue', ['catalogue']],
  ])('is made with the configset %s where there are %j', async (used, configSets) => {
    await using t = await solrSetup(solr, someRows(3));
    await solr.call('admin/collections?action=DELETE&name=syncrator_state').catch((error: unknown) => {
      if (!String(error).includes('Could not find collection')) throw error;
    });
    t.proxy.before = ({ path }) =>
      path === 'admin/configs' ? { status: 200, body: { configSets } } : undefined;
    const both = await Promise.all([t.run('delta'), t.run('rollback')]);
    expect(both.map(({ code }) => code)).toEqual([EXIT.failed, EXIT.nothingToRollBack]);
    const status = await solr.call('admin/collections?action=CLUSTERSTATUS&collection=syncrator_state');
    expect(status).toMatchObject({ cluster: { collections: { syncrator_state: { configName: used } } } });
    expect((await t.run('sync')).code).toBe(EXIT.ok);
  });
});

describe('a source that lists an id twice', () => {
  it('costs no record and no failure: the newest stays', async () => {
    await using t = await solrSetup(solr);
    const at = (day: number): string => `2025-01-0${day}T00:00:00Z`;
    const sink = createSolrSink({
      settings: { kind: 'solr', url: t.proxy.url, app: { name: t.app, key: 'SOLR_APP' }, env: null },
      given: { action: 'sync', jobId: 1, switchSolrAlias: true, targetEnv: null, target: null },
    });
    const turn = Promise.resolve();
    await sink.open();
    const load = await sink.beginLoad({ watermark: new Date(), resume: null });
    const first = [{ id: 'a', updated_at: at(2), record: { name: 'a2' } }];
    const second = [
      { id: 'a', updated_at: at(1), record: { name: 'a1' } },
      { id: 'b', updated_at: at(1), record: { name: 'b1' } },
      { id: 'b', updated_at: at(3), record: { name: 'b3' } },
    ];
    expect(await sink.loadBatch(load, { records: first, from: null, to: 'a' }, turn)).toBe(1);
    expect(await sink.loadBatch(load, { records: second, from: 'a', to: 'b' }, turn)).toBe(1);
    await sink.verifyLoad({ count: 2, sample: ['a', 'b'] });
    await sink.switchLoad(load);
    expect(await t.names()).toEqual({ a: 'a2', b: 'b3' });
    expect(await sink.upsert(second, { watermark: null, turn })).toEqual({ added: 0, updated: 1 });
  });
});
