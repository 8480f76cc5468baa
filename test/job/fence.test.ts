import { describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { someRows } from './support/fake-source.ts';
import { namesOf, setup } from './support/setup.ts';

describe('the fence', () => {
  it.each(['sync', 'delta', 'delete', 'rollback'])('lets no %s of an older job begin', async (action) => {
    await using t = await setup(someRows(20));
    await t.run('sync --api_job_id 7');
    await t.run('sync --api_job_id 8');
    t.source.put(...someRows(2, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' })));
    t.source.rows.delete('r00009');
    const before = await t.md5();
    expect((await t.run(`${action} --api_job_id 7`)).code).toBe(EXIT.fenced);
    expect(await t.md5()).toBe(before);
    expect(t.receiver.reports.at(-1)?.message).toContain('newer job');
  });

  it('lets the same job come again, and a stand-alone run pass', async () => {
    await using t = await setup(someRows(3));
    for (const options of ['sync --api_job_id 7', 'sync --api_job_id 7', 'sync', 'sync --api_job_id 7']) {
      expect((await t.run(options)).code).toBe(EXIT.ok);
    }
    expect(await t.query('SELECT highest_job_id::text FROM syncrator_sink_state')).toEqual([
      { highest_job_id: '7' },
    ]);
  });

  it.each(['delta -n 5', 'delta -n 5 -c 3', 'sync -n 5', 'sync -n 5 -c 3'])(
    'stops an older %s in mid work: no batch after the newer claim is written',
    async (options) => {
      await using t = await setup(someRows(40));
      await t.run('sync --api_job_id 1');
      t.source.put(...someRows(40, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' })));
      t.source.pageSize = 10;
      const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
      t.source.bend = ({ query }) => (query['after'] === 'r00020' ? held : undefined) as undefined;
      const older = t.run(`${options} --api_job_id 2`);
      const table = options.startsWith('sync') ? 'cities__loading' : 'cities';
      const written = async (): Promise<number> =>
        Object.values((await t.names(table)) ?? {}).filter((name) => name === 'changed').length;
      await vi.waitFor(async () => expect(await written()).toBeGreaterThanOrEqual(15), { timeout: 10_000 });
      await t.query('UPDATE syncrator_sink_state SET highest_job_id = 3');
      const then = await written();
      release(undefined);
      expect((await older).code).toBe(EXIT.fenced);
      expect(await written()).toBe(then);
    },
  );

  it('stops the older of two loads of one job, whose place the newer has taken', async () => {
    await using t = await setup(someRows(40));
    t.source.pageSize = 10;
    const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
    t.source.bend = (listing) => (listing.query['after'] === 'r00020' ? held : undefined) as undefined;
    const zombie = t.run('sync -n 5 --api_job_id 2');
    await vi.waitFor(async () =>
      expect(Object.keys((await t.names('cities__loading')) ?? {})).toHaveLength(20),
    );
    t.source.bend = null;
    expect((await t.run('sync -n 5 --api_job_id 2')).code).toBe(EXIT.ok);
    const after = await t.md5();
    release(undefined);
    expect((await zombie).code).not.toBe(EXIT.ok);
    expect(await t.md5()).toBe(after);
  });

  it('stops the older of two attempts that fill one and the same load', async () => {
    await using t = await setup(someRows(40));
    t.source.pageSize = 10;
    const holds = new Map([['r00020', Promise.withResolvers<undefined>()]]);
    t.source.bend = ({ query }) => holds.get(query['after'] ?? '')?.promise as undefined;
    const loaded = async (): Promise<number> => Object.keys((await t.names('cities__loading')) ?? {}).length;
    const checkpoint = (): unknown => t.receiver.reports.at(-1)?.checkpoint;
    const zombie = t.run('sync -n 5 --api_job_id 2');
    await expect.poll(checkpoint, { timeout: 10_000 }).toMatchObject({ cursor: 'r00020' });
    const first = holds.get('r00020');
    holds.delete('r00020');
    holds.set('r00030', Promise.withResolvers());
    const environment = { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint()) };
    const resumed = t.run('sync -n 5 --api_job_id 2', environment);
    await expect.poll(loaded).toBe(30);
    first?.resolve(undefined);
    expect((await zombie).code).toBe(EXIT.fenced);
    holds.get('r00030')?.resolve(undefined);
    expect((await resumed).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});
