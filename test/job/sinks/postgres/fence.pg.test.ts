import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf, setup } from '../../support/setup.ts';

describe('the fence of a Postgres sink', () => {
  it.each(['sync', 'delta', 'delete', 'rollback'])(
    'refuses to start a %s of an older job',
    async (action) => {
      await using t = await setup(someRows(20));
      await t.run('sync --api_job_id 7');
      await t.run('sync --api_job_id 8');
      t.source.put(...someRows(2, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' })));
      t.source.rows.delete('r00009');
      const before = await t.md5();
      expect((await t.run(`${action} --api_job_id 7`)).code).toBe(EXIT.fenced);
      expect(await t.md5()).toBe(before);
      expect(t.receiver.reports.at(-1)?.message).toContain('newer job');
    },
  );

  it('accepts the same job again and a stand-alone run', async () => {
    await using t = await setup(someRows(3));
    for (const options of ['sync --api_job_id 7', 'sync --api_job_id 7', 'sync', 'sync --api_job_id 7']) {
      expect((await t.run(options)).code).toBe(EXIT.ok);
    }
    expect((await t.sink()).job_id).toBe('7');
  });

  it.each(['delta -n 5', 'delta -n 5 -c 3', 'sync -n 5', 'sync -n 5 -c 3'])(
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

  it('separates two installations, names both, and lets one take the sink over', async () => {
    await using t = await setup(someRows(20));
    const of = (digit: string, job: number) => ({
      SYNCRATOR_INSTALLATION: `${digit.repeat(8)}-0000-4000-8000-000000000000`,
      SYNCRATOR_JOB_UID: `${digit.repeat(8)}-0000-4000-8000-${String(job).padStart(12, '0')}`,
    });
    expect((await t.run('sync --api_job_id 500', of('a', 500))).code).toBe(EXIT.ok);
    const refused = await t.run('sync --api_job_id 5', of('b', 5));
    expect(refused.code).toBe(EXIT.sinkOwned);
    expect(t.receiver.reports.at(-1)?.message).toMatch(
      /installation aaaaaaaa.*job 500.*installation bbbbbbbb.*take-over/,
    );
    expect((await t.run('take-over --api_job_id 6', of('b', 6))).code).toBe(EXIT.ok);
    expect((await t.run('sync --api_job_id 7', of('b', 7))).code, 'the fence starts anew').toBe(EXIT.ok);
    expect((await t.run('sync --api_job_id 501', of('a', 501))).code).toBe(EXIT.sinkOwned);
    const back = await t.run('rollback --api_job_id 8 --before 500', of('b', 8));
    expect(back.code, 'the history starts anew, too').toBe(EXIT.nothingToRollBack);
    expect(t.receiver.reports.at(-1)?.message).toContain('taken over');
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
