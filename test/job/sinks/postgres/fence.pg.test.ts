import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf, setup } from '../../support/setup.ts';

describe('the fence of a Postgres sink', () => {
  it.each(['delta -n 5 -c 3', 'sync -n 5 -c 3'])(
    'stops a running older %s: it loads no further batch and changes nothing',
    async (options) => {
      await using t = await setup(someRows(40));
      await t.run('sync --api_job_id 1');
      const before = await t.md5();
      t.source.put(...someRows(40, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' })));
      t.source.pageSize = 10;
      const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
      t.source.bend = ({ query }) => (query['after'] === 'r00020' ? held : undefined) as undefined;
      const older = t.run(`${options} --api_job_id 2`);
      await expect.poll(() => t.loaded(), { timeout: 10_000 }).toBe(20);
      await t.query(`UPDATE syncrator.sinks SET job_id = 3, run = gen_random_uuid()`);
      release(undefined);
      expect((await older).code).toBe(EXIT.fenced);
      expect(await t.loaded()).toBe(20);
      expect(await t.md5()).toBe(before);
    },
  );

  it('stops the older of two loads of one job', async () => {
    await using t = await setup(someRows(40));
    t.source.pageSize = 10;
    const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
    t.source.bend = (listing) => (listing.query['after'] === 'r00020' ? held : undefined) as undefined;
    const zombie = t.run('sync -n 5 --api_job_id 2');
    await expect.poll(() => t.loaded(), { timeout: 10_000 }).toBe(20);
    t.source.bend = null;
    expect((await t.run('sync -n 5 --api_job_id 2')).code).toBe(EXIT.ok);
    const after = await t.md5();
    release(undefined);
    expect((await zombie).code).not.toBe(EXIT.ok);
    expect(await t.md5()).toBe(after);
  });

  it('stops the older of two attempts that fill the same load', async () => {
    await using t = await setup(someRows(40));
    t.source.pageSize = 10;
    const holds = new Map([['r00020', Promise.withResolvers<undefined>()]]);
    t.source.bend = ({ query }) => holds.get(query['after'] ?? '')?.promise as undefined;
    const checkpoint = (): unknown => t.receiver.reports.at(-1)?.checkpoint;
    const zombie = t.run('sync -n 5 --api_job_id 2');
    await expect.poll(() => t.loaded(), { timeout: 10_000 }).toBe(20);
    await expect.poll(checkpoint, { timeout: 10_000 }).toMatchObject({ action: 'load', mode: 'everything' });
    const first = holds.get('r00020');
    holds.delete('r00020');
    holds.set('r00030', Promise.withResolvers());
    const environment = { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint()) };
    const resumed = t.run('sync -n 5 --api_job_id 2', environment);
    await expect.poll(() => t.loaded()).toBe(30);
    first?.resolve(undefined);
    expect((await zombie).code).toBe(EXIT.fenced);
    holds.get('r00030')?.resolve(undefined);
    expect((await resumed).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('refuses a table that was recreated under the same name until a take-over', async () => {
    await using t = await setup(someRows(20));
    await t.run('sync --api_job_id 1');
    await t.query('ALTER TABLE cities RENAME TO older');
    await t.query('CREATE TABLE cities (LIKE older INCLUDING ALL)');
    await t.query(`INSERT INTO cities VALUES ('theirs', now(), '{}')`);
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.sinkReplaced);
    expect(await t.names()).toEqual({ theirs: null });
    expect((await t.run('take-over --api_job_id 3')).code).toBe(EXIT.ok);
    expect((await t.run('sync --api_job_id 4 --force-delete')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});
