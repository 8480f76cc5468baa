/** Older jobs and other owners are kept out of every sink. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { Findings } from '../../../../src/job/check/findings.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { changed, last, type SetUp, type SinkAdapter } from './tested-sink.ts';

export function testFence(name: string, setup: SetUp, adapter: SinkAdapter): void {
  describe(`the fence of ${name}`, () => {
    it('refuses to start an older job, and accepts the same one and a stand-alone run', async () => {
      await using t = await setup(someRows(20));
      await t.run('sync --api_job_id 7');
      await t.run('sync --api_job_id 8');
      t.source.put(...changed(2));
      t.source.rows.delete('r00009');
      const before = await t.names();
      for (const action of ['sync', 'delta', 'delete', 'rollback']) {
        expect((await t.run(`${action} --api_job_id 7`)).code, action).toBe(EXIT.fenced);
        expect(last(t)?.message).toContain('newer job');
      }
      expect(await t.names()).toEqual(before);
      for (const options of ['sync --api_job_id 8', 'sync', 'delta --api_job_id 8'])
        expect((await t.run(options)).code, options).toBe(EXIT.ok);
    });

    it.each(['delta -n 5', 'sync -n 5 -c 3'])(
      'ends a running older %s: what a newer job has written stays',
      async (options) => {
        await using t = await setup(someRows(40));
        await t.run('sync --api_job_id 1');
        t.source.put(...changed(40, 'older'));
        t.source.pageSize = 10;
        const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
        const standing = Promise.withResolvers<void>();
        t.source.bend = ({ query }) => {
          if (query['after'] !== 'r00020') return undefined;
          standing.resolve();
          return held as unknown as undefined;
        };
        const older = t.run(`${options} --api_job_id 2`);
        await standing.promise;
        t.source.bend = null;
        t.source.put(...changed(40, 'newer'));
        expect((await t.run(`${options} --api_job_id 3`)).code).toBe(EXIT.ok);
        release(undefined);
        expect((await older).code).toBe(EXIT.fenced);
        expect(await t.names()).toEqual(namesOf(changed(40, 'newer')));
      },
    );

    it('is left alone by a check, which counts, names another owner and changes nothing', async () => {
      await using t = await setup(someRows(20));
      const owner = { SYNCRATOR_INSTALLATION: 'aaaaaaaa-0000-4000-8000-000000000000' };
      const check = async (target: string) => {
        const environment = { ...adapter.place(t), SYNCRATOR_TARGET: target, SYNCRATOR_REPORT_URL: '' };
        const { code, output } = await t.spawn('check --json', environment).ended;
        return { code, ...(JSON.parse(output) as Pick<Findings, 'sink'>) };
      };
      expect(await check('ours')).toMatchObject({ code: EXIT.ok, sink: { live: 0, kept: 0, synced: false } });
      const ours = { ...adapter.place(t), ...owner, SYNCRATOR_TARGET: 'ours' };
      expect((await t.run('sync --api_job_id 7', ours)).code).toBe(EXIT.ok);
      expect(await check('ours')).toMatchObject({
        code: EXIT.ok,
        sink: { exists: true, live: 20, kept: 0, synced: true },
      });
      expect((await check('theirs')).code).toBe(EXIT.sinkOwned);
      expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
      expect((await t.run('delta --api_job_id 7', ours)).code).toBe(EXIT.ok);
    });

    it('keeps another owner out until a take-over, which begins anew', async () => {
      await using t = await setup(someRows(20));
      const of = (digit: string, nth: number) => ({
        ...adapter.place(t),
        SYNCRATOR_INSTALLATION: `${digit.repeat(8)}-0000-4000-8000-000000000000`,
        SYNCRATOR_TARGET: `target-${digit}`,
        SYNCRATOR_JOB_UID: `${digit.repeat(8)}-0000-4000-8000-${String(nth).padStart(12, '0')}`,
      });
      for (const nth of [500, 501])
        expect(await t.run(`sync --api_job_id ${nth}`, of('a', nth))).toMatchObject({ code: EXIT.ok });
      const before = await t.names();
      expect((await t.run('sync --api_job_id 5', of('b', 5))).code).toBe(EXIT.sinkOwned);
      expect(last(t)?.message).toMatch(
        /installation aaaaaaaa.*job 501.*installation bbbbbbbb.*take-over target-b dev/,
      );
      expect((await t.run('take-over --api_job_id 6', of('b', 6))).code).toBe(EXIT.ok);
      expect((await t.run('rollback --api_job_id 7', of('b', 7))).code).toBe(EXIT.nothingToRollBack);
      expect((await t.run('delta --api_job_id 8', of('b', 8))).code).toBe(EXIT.ok);
      expect((await t.run('sync --api_job_id 502', of('a', 502))).code).toBe(EXIT.sinkOwned);
      expect(await t.names()).toEqual(before);
    });
  });
}
