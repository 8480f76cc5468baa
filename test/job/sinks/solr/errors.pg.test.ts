import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { startBendingProxy } from '../../../support/bending-proxy.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 660_000); // the first run gets Solr from Maven Central
afterAll(() => solr?.stop());

const said = (t: SolrSetup): string => t.receiver.reports.at(-1)?.message ?? '';
const changed = (count: number) =>
  someRows(count, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' }));

const record = (id: string) => ({ id, updated_at: '2025-01-01T00:00:00.000Z', record: { name: id } });

describe('a faulty Solr', () => {
  it('that loses the answer to every change once changes nothing but the duration', {
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
    expect(await t.state()).toMatchObject({ fence: { job_id: 3 }, move: null, load: null });
  });

  it('that answers 503 and 429 for a while is waited for', async () => {
    await using t = await solrSetup(solr, someRows(10));
    let refused = 0;
    t.proxy.before = () => {
      refused += 1;
      if (refused % 3 === 1) return { status: 503 };
      return refused % 3 === 2 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
    };
    const waits: (string | null)[] = [];
    const sink = t.sink({}, { onWait: (words) => void waits.push(words) });
    await sink.open();
    expect(await sink.live()).toMatchObject({ synced: false, watermark: null });
    expect(refused).toBeGreaterThan(5);
    expect(waits).toContain('the sink: Solr admin/collections: answered 503: in trouble; retrying in 1 s');
    expect(waits.at(-1)).toBeNull();
  });

  it('that keeps answering 503 ends the load with its message, and the aliases stay', async () => {
    await using t = await solrSetup(solr, someRows(10));
    await t.run('sync');
    const before = await t.names();
    t.proxy.before = ({ path }) =>
      path === `${t.app}-sync/update` ? { status: 503, body: { error: { msg: 'no leader' } } } : undefined;
    const sink = t.sink({}, { patienceMs: 400 });
    await sink.open();
    const load = await sink.beginLoad({ mode: 'everything', since: null, began: new Date(), resume: null });
    const batch = { records: [record('a')], listed: [], from: null, to: 'a' };
    await expect(sink.loadBatch(load, batch, Promise.resolve())).rejects.toMatchObject({
      code: 'sinkUnreachable',
      message: expect.stringMatching(
        /^sink: Solr catalogue\d+-sync\/update: answered 503: no leader; gave up after [2-9] attempts in 1 s; check that Solr runs/,
      ) as string,
    });
    expect(await t.names()).toEqual(before);
    t.proxy.before = null;
    expect((await t.run('sync')).code).toBe(EXIT.ok);
  });

  it('that asks for a wait of more than five minutes ends the run', async () => {
    await using t = await solrSetup(solr);
    t.proxy.before = () => ({ status: 503, headers: { 'retry-after': '301' } });
    await expect(t.sink().open()).rejects.toMatchObject({ code: 'sinkUnreachable' });
  });

  it('that recovers in time does not fail the run, and the job reports the wait', async () => {
    await using t = await solrSetup(solr, someRows(3));
    let cut = 0;
    t.proxy.before = () => ((cut += 1) <= 2 ? 'cut' : undefined);
    const ended = await t.run('sync');
    expect(ended).toMatchObject({ code: EXIT.ok });
    expect(ended.output).toMatch(/waiting for the sink: Solr admin\/collections: .*; retrying in 1 s/);
    expect(t.receiver.reports.at(-1)).toMatchObject({ phase: 'done', waiting_for: null });
  });

  it('that is away is no longer waited for once the run is stopped', async () => {
    await using t = await solrSetup(solr);
    t.proxy.before = () => 'cut';
    const stop = new AbortController();
    const opening = t
      .sink({}, { stop: stop.signal, onWait: () => stop.abort(new Error('told to stop')) })
      .open();
    await expect(opening).rejects.toThrow('told to stop');
  });

  it('that is down is reported as unreachable, without the credentials', async () => {
    await using t = await solrSetup(solr);
    const gone = await startBendingProxy(solr.url);
    await gone[Symbol.asyncDispose]();
    const url = gone.url.replace('//', '//admin:gran%40ola@');
    const sink = t.sink({}, { url, patienceMs: 300 });
    const error = await sink.open().then(
      () => null,
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ code: 'sinkUnreachable' });
    expect(String(error)).toContain('sink: Solr admin/collections:');
    expect(String(error)).toContain('ECONNREFUSED');
    expect(String(error)).not.toContain('gran');
    expect(sink.shownAs).toBe(gone.url.replace('//', '//<FILTERED>@'));
  });

  it('that stalls ends the run after the deadline', async () => {
    await using t = await solrSetup(solr);
    t.proxy.before = ({ query }) => (query['action'] === 'LISTALIASES' ? 'stall' : undefined);
    await expect(t.sink({}, { deadlineMs: 300 }).open()).rejects.toMatchObject({
      code: 'sinkUnreachable',
      message: expect.stringContaining(
        'sink: Solr admin/collections: no complete answer within 0.3 s',
      ) as string,
    });
  });

  it('that requires credentials gets them only in the header, and a refusal says how to fix it', async () => {
    await using t = await solrSetup(solr, someRows(3));
    const wanted = `Basic ${Buffer.from('admin:gran@ola').toString('base64')}`;
    t.proxy.before = ({ authorization }) => (authorization === wanted ? undefined : { status: 401 });
    const url = (password: string): string => t.proxy.url.replace('//', `//admin:${password}@`);
    const good = await t.run('sync --debug', { SOLR_URL: url('gran%40ola') });
    expect(good.code).toBe(EXIT.ok);
    const bad = await t.run('delta --debug', { SOLR_URL: url('wrongpass') });
    expect(bad.code).toBe(EXIT.sinkPermission);
    expect(said(t)).toContain('answered 401: in trouble; give SOLR_URL a user and a password');
    expect(good.output + bad.output + JSON.stringify(t.receiver.reports)).not.toMatch(/gran|wrongpass/);
  });

  it.each([
    ['a server that is not Solr', { status: 200, body: { hello: 'there' } }, 'an unexpected body'],
    ['an error that is not JSON', { status: 500, body: 'x' }, 'answered 500'],
    ['a redirect', { status: 302, headers: { location: 'http://elsewhere/' } }, 'answered 302'],
  ])('is described in the error: %s', async (_, answer, words) => {
    await using t = await solrSetup(solr, someRows(3));
    t.proxy.before = () => answer;
    expect((await t.run('delta')).code).toBe(EXIT.failed);
    expect(said(t)).toContain(words);
  });

  it('that answers from a part of its shards is not trusted', async () => {
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

describe('the aliases of a run', () => {
  it('must exist, each with one collection', async () => {
    await using t = await solrSetup(solr, someRows(3));
    expect((await t.run('delta', { SOLR_APP: 'nobody' })).code).toBe(EXIT.notConfigured);
    expect(said(t)).toContain('the alias nobody');
    await solr.alias(`${t.app}-standby`, `${t.app}_a,${t.app}_b`);
    expect((await t.run('sync')).code).toBe(EXIT.notConfigured);
    expect(said(t)).toContain('several collections');
  });

  it('must not share the standby with another alias', async () => {
    await using t = await solrSetup(solr, someRows(3));
    await solr.alias('somebody-elses', `${t.app}_b`);
    await solr.call(`${t.app}_b/update?commit=true`, [{ id: 'theirs', name: 'theirs' }]);
    expect((await t.run('sync')).code).toBe(EXIT.notConfigured);
    expect(said(t)).toContain('somebody-elses');
    expect(await t.names('somebody-elses')).toEqual({ theirs: 'theirs' });
    await solr.alias('somebody-elses', `${t.app}_a`);
  });
});

describe('the state collection', () => {
  it.each([
    ['_default', ['_default', 'catalogue']],
    ['catalogue', ['catalogue']],
  ])('uses the configset %s if there are %j', async (used, configSets) => {
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
