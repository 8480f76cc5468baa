/** Jobs from a stand-in repository into the sink's Postgres. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type OaiProvider, startOaiProvider } from '../../../support/oai-pmh/provider.ts';
import { someRecords, titled } from '../../../support/oai-pmh/repository.ts';
import { type Setup, setup } from '../../support/setup.ts';
import { runStoppedLoad } from '../../support/stopped-load.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);
const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
const settings = ({ url }: OaiProvider, more: Record<string, string> = {}) => ({
  SOURCE: 'oai-pmh',
  SOURCE_URL: url,
  ...more,
});

/** @throws unless the run succeeds */
async function run(t: Setup, options: string, environment: Record<string, string>): Promise<string> {
  const { code, output } = await t.run(options, environment);
  expect([code, output]).toEqual([EXIT.ok, output]);
  return output;
}

async function titles(t: Setup): Promise<Record<string, string>> {
  const rows = await t.query<{ id: string; title: string }>(
    `SELECT id, record->'title'->>0 AS title FROM cities`,
  );
  return Object.fromEntries(rows.map(({ id, title }) => [id, title]));
}

describe('a target with a repository of OAI-PMH', () => {
  it.each(['YYYY-MM-DDThh:mm:ssZ', 'YYYY-MM-DD'] as const)(
    'is synchronised by sync, delta, delete and diff, with datestamps %s',
    async (granularity) => {
      await using provider = await startOaiProvider(...someRecords(60));
      provider.granularity = granularity;
      await using t = await setup();
      const output = await run(t, 'sync', settings(provider));
      expect(last(t)).toMatchObject({ added: 60, listing: 'complete', records_total: 60, records_done: 60 });
      expect(output).toContain(`${provider.url} oai_dc -> `);
      const { watermark } = await t.sink();
      expect(watermark?.getTime()).toBeLessThan(Date.now());
      await run(t, 'sync', settings(provider));
      expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 0 });

      provider.put(titled('oai:x:0007', now(), 'second'), titled('oai:x:0100', now()));
      provider.put({ ...titled('oai:x:0001', now()), isDeleted: true });
      await run(t, 'delta', settings(provider));
      expect(last(t)).toMatchObject({ added: 1, updated: 1, deleted: 1 });
      const asked = provider.requests.findLast(({ verb }) => verb === 'ListRecords');
      expect(asked?.['from']).toHaveLength(granularity.length);

      provider.records.delete('oai:x:0002');
      await run(t, 'delete', settings(provider));
      expect(last(t)).toMatchObject({ deleted: 1, listing: 'complete' });

      provider.put({ ...titled('oai:x:0003', now()), isDeleted: true }, titled('oai:x:0004', now(), 'third'));
      await run(t, 'delta', settings(provider));
      expect(last(t)).toMatchObject({ deleted: 1 });
      await run(t, 'delete', settings(provider, { SYNCRATOR_PART_OF: 'diff' }));
      expect(last(t)).toMatchObject({ deleted: 0 });
      const found = await titles(t);
      expect(Object.keys(found)).toHaveLength(58);
      expect(found).toMatchObject({ 'oai:x:0004': 'third', 'oai:x:0007': 'second', 'oai:x:0100': 'first' });

      // A record that a repository brings back comes with a later datestamp.
      provider.put(titled('oai:x:0003', now(), 'back'));
      await run(t, 'delta', settings(provider));
      expect(await titles(t)).toMatchObject({ 'oai:x:0003': 'back' });
    },
  );

  it('loses no record to a list that is not proven complete', async () => {
    await using provider = await startOaiProvider(...someRecords(60));
    await using t = await setup();
    await run(t, 'sync', settings(provider));
    const before = await t.md5();
    provider.bend = (listed) => {
      if (listed.page > 1) Object.assign(listed, { records: listed.records.slice(1) });
    };
    for (const action of ['sync', 'delete'])
      expect((await t.run(action, settings(provider))).code).toBe(EXIT.incompleteListing);
    provider.bend = null;
    provider.records.clear();
    for (const action of ['sync', 'delete'])
      expect((await t.run(action, settings(provider))).code).toBe(EXIT.deleteGuard);
    expect(await t.md5()).toBe(before);
  });

  it('misses no change that a list of changes lacks: the next delta reads from the same time', async () => {
    await using provider = await startOaiProvider(...someRecords(60, '2025-06-01T12:00:07Z'));
    await using t = await setup();
    await run(t, 'sync', settings(provider));
    const atOnce = settings(provider, { WATERMARK_MARGIN: '0s' });
    const { watermark } = await t.sink();
    provider.put(...['0001', '0002', '0003'].map((nth) => titled(`oai:x:${nth}`, now(), 'second')));
    provider.bend = (listed) => {
      Object.assign(listed, { records: listed.records.slice(1), token: '', size: '3' });
    };
    await run(t, 'delta', atOnce);
    expect(last(t)).toMatchObject({ updated: 2 });
    expect(last(t)?.warnings?.join()).toMatch(
      /the list has 2 entries, but completeListSize 3; the watermark stays/,
    );
    expect((await t.sink()).watermark).toEqual(watermark);
    provider.bend = null;
    await run(t, 'delta', atOnce);
    expect(last(t)).toMatchObject({ updated: 1 });
    expect(last(t)?.warnings).toBeUndefined();
    expect((await t.sink()).watermark?.getTime()).toBeGreaterThan(watermark?.getTime() ?? Infinity);
  });

  it('does not believe a list that lacks records which answer by their id', async () => {
    await using provider = await startOaiProvider(...someRecords(60));
    await using t = await setup();
    await run(t, 'sync', settings(provider));
    provider.tellsSize = false;
    provider.bend = (listed) => {
      if (listed.page === 2) Object.assign(listed, { records: listed.records.slice(2) });
    };
    const { code, output } = await t.run('delete', settings(provider));
    expect(code).toBe(EXIT.incompleteListing);
    expect(output).toContain('still has 2 of them');
  });

  it('adds and updates from a repository without evidence, and says so', async () => {
    await using provider = await startOaiProvider(...someRecords(25));
    provider.bend = (listed) => (listed.size = '10');
    await using t = await setup();
    await run(t, 'sync', settings(provider));
    expect(last(t)).toMatchObject({ added: 25, listing: 'unproven' });
    provider.records.delete('oai:x:0001');
    provider.put(titled('oai:x:0002', now(), 'second'));
    await run(t, 'sync', settings(provider));
    expect(last(t)).toMatchObject({ updated: 1, deleted: 0, kept: 1 });
    expect(last(t)?.warnings?.join()).toContain('24 entries, but completeListSize 10');
    expect((await t.run('delete', settings(provider))).code).toBe(EXIT.incompleteListing);
  });

  it('sets bad records aside up to MAX_REJECTED, and what is live under their ids stays', async () => {
    await using provider = await startOaiProvider(...someRecords(25));
    await using t = await setup();
    await run(t, 'sync', settings(provider));
    provider.put(titled('oai:x:0002', now(), 'a&nbsp;b'));
    const before = await t.md5();
    expect((await t.run('sync', settings(provider))).code).toBe(EXIT.recordsRejected);
    await run(t, 'sync', settings(provider, { MAX_REJECTED: '1' }));
    expect(last(t)).toMatchObject({ failed: 1, deleted: 0 });
    expect(await t.md5()).toBe(before);
  });

  it('is loaded on from the checkpoint by a later attempt, after a harvest of its own', async () => {
    await using provider = await startOaiProvider(...someRecords(60));
    await using t = await setup();
    const options = 'sync -n 10 -c 1 --api_job_id 1';
    const broken = await runStoppedLoad(t, options, settings(provider));
    expect(broken.code).toBe(EXIT.terminated);
    const SYNCRATOR_CHECKPOINT = JSON.stringify(last(t)?.checkpoint);
    const output = await run(t, options, settings(provider, { SYNCRATOR_CHECKPOINT }));
    expect(output).toMatch(/resuming the load after [2-4]0 records/);
    expect(last(t)).toMatchObject({ added: 60, listing: 'complete' });
  });

  it('shows no password', async () => {
    await using provider = await startOaiProvider(...someRecords(5));
    await using t = await setup();
    const url = provider.url.replace('//', '//user:hush@');
    const output = await run(t, 'sync', { ...settings(provider), SOURCE_URL: url });
    expect(output + JSON.stringify(t.receiver.reports)).not.toContain('hush');
    expect(last(t)?.data_source).toContain('<FILTERED>@');
  });
});
