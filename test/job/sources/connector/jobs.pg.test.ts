/** Jobs from a stand-in of a connector into the sink's Postgres. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Setup, setup } from '../../support/setup.ts';
import { runStoppedLoad } from '../../support/stopped-load.ts';
import { drop, settingsOf } from './support/open.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);
const rows = (from: number, to: number, name = 'first') =>
  Array.from({ length: to - from }, (_, at) => ({ id: `p${String(from + at).padStart(3, '0')}`, name }));
const SINGER = { CONNECTOR_PROTOCOL: 'singer', CONNECTOR_STREAM: 'public-places' };

/** @throws unless the run succeeds */
async function run(t: Setup, options: string, environment: Record<string, string>): Promise<string> {
  const { code, output } = await t.run(options, environment);
  expect([code, output]).toEqual([EXIT.ok, output]);
  return output;
}

describe('a target with a connector', () => {
  it('is synchronised by sync, delta, delete and diff, and untouched records are not written again', async () => {
    const folder = drop();
    const settings = settingsOf(folder.records(rows(0, 60)));
    await using t = await setup();
    const output = await run(t, 'sync', settings);
    expect(output).toContain('node places -> ');
    expect(output).toContain('connector: INFO reading with');
    expect(last(t)).toMatchObject({ added: 60, listing: 'complete', records_total: 60 });
    expect((await t.sink()).watermark).toBeNull();
    await run(t, 'sync', settings);
    expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 0 });

    folder.records([...rows(2, 60), { id: 'p100', name: 'first' }, { id: 'p007', name: 'second' }]);
    await run(t, 'delta', settings);
    expect(last(t)).toMatchObject({ added: 1, updated: 1, deleted: 0 });
    await run(t, 'delete', settings);
    expect(last(t)).toMatchObject({ deleted: 2, listing: 'complete' });
    folder.records([...rows(3, 60), { id: 'p100', name: 'first' }, { id: 'p007', name: 'second' }]);
    const again = await run(t, 'sync', settings);
    expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 1 });
    expect(again).toContain('1 of 59 records have the id of an earlier one');
  });

  it.each(['incomplete', 'no status', 'exit 1', 'crash', 'cut', 'killed'])(
    'changes nothing after a reading with the fault "%s"',
    async (fault) => {
      const folder = drop();
      const config = folder.records(rows(0, 60));
      await using t = await setup();
      await run(t, 'sync', settingsOf(config));
      const before = await t.md5();
      folder.records(rows(10, 60, 'second'));
      for (const action of ['sync', 'delta', 'delete'])
        expect((await t.run(action, settingsOf({ ...config, fault }))).code).toBe(EXIT.incompleteListing);
      expect(await t.md5()).toBe(before);
    },
  );

  it('removes nothing by a Singer tap, unless its exit code counts', async () => {
    const folder = drop();
    const settings = settingsOf(folder.records(rows(0, 60)), SINGER);
    await using t = await setup();
    await run(t, 'sync', settings);
    expect(last(t)).toMatchObject({ added: 60, listing: 'unproven' });
    folder.records(rows(1, 61, 'second'));
    await run(t, 'sync', settings);
    expect(last(t)).toMatchObject({ added: 1, updated: 59, deleted: 0, kept: 1 });
    expect(last(t)?.warnings?.join()).toContain('CONNECTOR_EXIT_COMPLETE=true');
    expect((await t.run('delete', settings)).code).toBe(EXIT.incompleteListing);
    await run(t, 'delete', { ...settings, CONNECTOR_EXIT_COMPLETE: 'true' });
    expect(last(t)).toMatchObject({ deleted: 1, listing: 'complete' });
  });

  it('sets bad records aside up to MAX_REJECTED', async () => {
    const folder = drop();
    const settings = settingsOf(folder.records(rows(0, 30)));
    await using t = await setup();
    await run(t, 'sync', settings);
    folder.records([...rows(1, 30), { id: 'p000', name: 'nul\u0000' }]);
    expect((await t.run('sync', settings)).code).toBe(EXIT.recordsRejected);
    await run(t, 'sync', { ...settings, MAX_REJECTED: '1' });
    expect(last(t)).toMatchObject({ failed: 1, deleted: 0 });
  });

  it('is loaded on from the checkpoint by a later attempt, after a reading of its own', async () => {
    const settings = settingsOf(drop().records(rows(0, 60)));
    await using t = await setup();
    const options = 'sync -n 10 -c 1 --api_job_id 1';
    const broken = await runStoppedLoad(t, options, settings);
    expect(broken.code).toBe(EXIT.terminated);
    const SYNCRATOR_CHECKPOINT = JSON.stringify(last(t)?.checkpoint);
    const output = await run(t, options, { ...settings, SYNCRATOR_CHECKPOINT });
    expect(output).toMatch(/resuming the load after [2-4]0 records/);
    expect(last(t)).toMatchObject({ added: 60, listing: 'complete' });
  });

  it('shows no secret of its config in log and reports', async () => {
    const config = { ...drop().records(rows(0, 20)), fault: 'flood', secret: 'Zebra"crossing/9' };
    await using t = await setup();
    const output = await run(t, 'sync', settingsOf(config));
    const refused = await t.run('sync', settingsOf({ ...config, fault: 'refused' }));
    expect(refused.code).toBe(EXIT.notConfigured);
    expect(refused.output).toContain('no login with <FILTERED>');
    expect(output + refused.output + JSON.stringify(t.receiver.reports)).not.toMatch(/Zebra|crossing/);
  });
});
