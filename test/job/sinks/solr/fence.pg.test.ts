/** The fence of an alias: only its owner may write, and of the owner's runs only the last one that opened it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 120_000);
afterAll(() => solr?.stop());

const said = (t: SolrSetup): string => t.receiver.reports.at(-1)?.message ?? '';
const changed = (count: number) =>
  someRows(count, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' }));

type Stored = Record<string, unknown>;
const ANOTHER = '00000000-0000-4000-8000-000000000000';
const openedByAnother = ({ fence, ...state }: Stored): Stored => ({
  ...state,
  fence: { ...(fence as object), run: ANOTHER },
});

describe('the fence of a Solr sink', () => {
  it.each(['delta -n 5 -c 3', 'sync -n 5 -c 3'])(
    'stops a running older %s: it writes no further batch',
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
      await expect.poll(written, { timeout: 20_000 }).toBe(20);
      await t.setState(openedByAnother);
      const then = await written();
      release(undefined);
      expect((await older).code).toBe(EXIT.fenced);
      expect(await written()).toBe(then);
    },
  );

  it('keeps an older job from switching the aliases', async () => {
    await using t = await solrSetup(solr, someRows(10));
    await t.run('sync --api_job_id 1');
    const before = await t.aliases();
    t.proxy.before = async ({ body }) => {
      if (!body.includes('waitSearcher')) return undefined;
      t.proxy.before = null;
      await t.setState(openedByAnother);
      return undefined;
    };
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.fenced);
    expect(await t.aliases()).toMatchObject({ primary: before.primary, standby: before.standby });
  });

  it.each([
    [
      'another run took its load',
      ({ load, ...state }: Stored) => ({ ...state, load: { ...(load as object), id: ANOTHER } }),
    ],
    ['a newer run came', openedByAnother],
  ])('keeps a run from switching when %s at the last moment', async (_, change) => {
    await using t = await solrSetup(solr, someRows(10));
    await t.run('sync --api_job_id 1');
    const before = await t.aliases();
    // Requested between the last check and the compare-and-set.
    t.proxy.before = async ({ query }) => {
      if (query['action'] !== 'CLUSTERSTATUS') return undefined;
      t.proxy.before = null;
      await t.setState(change);
      return undefined;
    };
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.fenced);
    expect(await t.aliases()).toMatchObject({ primary: before.primary, standby: before.standby });
  });

  it('stops the older of two loads', async () => {
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

describe('the owner of a Solr sink', () => {
  const OURS = '11111111-1111-4111-8111-111111111111';
  const THEIRS = '22222222-2222-4222-8222-222222222222';
  const of = (installation: string, target = 'cities', env = 'dev') => ({
    SYNCRATOR_INSTALLATION: installation,
    SYNCRATOR_TARGET: target,
    SYNCRATOR_ENV: env,
  });

  it.each([
    ['installation', of(THEIRS)],
    ['target', of(OURS, 'towns')],
    ['environment', of(OURS, 'cities', 'qas')],
  ])('keeps another %s from writing, and the error names both', async (_, other) => {
    await using t = await solrSetup(solr, someRows(3));
    const app = { SOLR_APP: t.app };
    const first = t.sink({ installation: OURS, target: 'cities', env: 'dev', jobId: 500 });
    await first.open();
    const before = await t.state();
    expect((await t.run('delta --api_job_id 501', { ...other, ...app })).code).toBe(EXIT.sinkOwned);
    expect(said(t)).toContain(
      `alias ${t.app} belongs to target 'cities' in env 'dev' of installation ${OURS}`,
    );
    expect(said(t)).toContain('whose job 500 wrote there at 2');
    expect(said(t)).toContain(
      `of installation ${other.SYNCRATOR_INSTALLATION}. Give each target its own alias`,
    );
    expect(said(t)).toContain(`syncrator sink take-over ${other.SYNCRATOR_TARGET} ${other.SYNCRATOR_ENV}`);
    expect(await t.state()).toEqual(before);
  });
});

describe('the state of version 0.1.0 in Solr', () => {
  const asOld = (t: SolrSetup) => (state: Stored) => ({
    write: state['write'],
    highest_job_id: 8,
    generations: Object.fromEntries(
      Object.entries(state['generations'] as Record<string, Stored>).map(([name, { created, watermark }]) => [
        name,
        { created, watermark },
      ]),
    ),
    load: {
      id: ANOTHER,
      collection: `${t.app}_z`,
      watermark: '2025-01-01T00:00:00.000Z',
      cursor: 'r00001',
      done: 1,
    },
    move: null,
    rolled_back_by: 8,
  });

  it('keeps its fence, watermark and kept generation', async () => {
    await using t = await solrSetup(solr, someRows(4));
    await t.run('sync');
    t.source.put({ id: 'new', updated_at: '2025-01-01T00:00:00.000Z', name: 'new' });
    await t.run('sync');
    const before = await t.names();
    await t.setState(asOld(t));
    expect((await t.run('delta --api_job_id 7')).code).toBe(EXIT.fenced);
    // The rollback of job 8 is already done.
    expect((await t.run('rollback --api_job_id 8')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(before);
    expect((await t.run('delta --api_job_id 9')).code).toBe(EXIT.ok);
    expect(t.source.requests.some((query) => query['updated_since'] !== undefined)).toBe(true);
    expect((await t.run('rollback --api_job_id 10')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(4)));
    expect(await t.state()).toMatchObject({ highest_job_id: Number.MAX_SAFE_INTEGER, load: null });
  });
});
