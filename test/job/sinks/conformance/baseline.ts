/** BASELINE: counts that are unusual for a target, below the fixed limits, in every sink. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { idsOf, lose, waiting } from './held-removals.ts';
import { expected, job, last, now, type SetUp, type SinkAdapter, type TestedSink } from './tested-sink.ts';

const LIVE = 200;
/** 8 percent: fewer than the limits forbid. */
const FEW = 16;
const HOLD = { BASELINE: 'hold' };
/** Each test runs the program about ten times. */
const PATIENCE = { timeout: 240_000 };
const SEVEN: unknown = Array.from({ length: 7 }, () => ({
  at: expect.any(String),
  count: expect.any(Number),
}));

/** Runs an action, which must succeed. */
async function done(t: TestedSink, action: string, environment: Record<string, string> = {}): Promise<void> {
  expect(await t.run(action, environment)).toMatchObject({ code: EXIT.ok });
}

/** A target after its first load and some quiet runs. */
async function afterRuns(setup: SetUp, action: 'sync' | 'delete', count: number): Promise<TestedSink> {
  const t = await setup(someRows(LIVE));
  await done(t, 'sync');
  for (let nth = 0; nth < count; nth += 1) await done(t, action);
  return t;
}

const unusual = (t: TestedSink): string[] =>
  (last(t)?.warnings ?? []).filter((words) => words.startsWith('unusual'));

/** The last job has held these, although they are fewer than the limits forbid. */
function waits(t: TestedSink, ids = idsOf(FEW)): void {
  expect(last(t)).toMatchObject({ held: ids.length, deleted: 0 });
  expect(waiting(t)).toEqual(ids);
  expect(t.receiver.pages.at(-1)).toMatchObject({ reason: 'anomaly' });
}

export function testBaseline(name: string, setup: SetUp, adapter: SinkAdapter): void {
  describe(`counts far from those of earlier runs, in ${name}`, PATIENCE, () => {
    it('are warnings by default; the job tells the figures of the earlier runs', async () => {
      await using t = await afterRuns(setup, 'delete', 7);
      lose(t, idsOf(FEW));
      await done(t, 'delete');
      expect(await t.names()).toEqual(expected(t));
      expect(unusual(t)).toEqual(['unusual: 16 to remove; usual are up to 5 (median 0 of 7 runs)']);
      expect(last(t)?.unusual).toMatchObject([
        { measure: 'removed', count: FEW, median: 0, least: 0, most: 5, earlier: SEVEN },
      ]);
    });

    it('wait with BASELINE=hold after a delete, until they are forced', async () => {
      await using t = await afterRuns(setup, 'delete', 7);
      lose(t, idsOf(FEW));
      await done(t, 'delete', HOLD);
      waits(t);
      expect(await t.names()).toEqual(namesOf(someRows(LIVE)));
      await done(t, 'delete --force-delete', HOLD);
      expect([waiting(t), await t.names()]).toEqual([[], expected(t)]);
      expect(t.receiver.pages.at(-1)).not.toHaveProperty('reason');
    });

    it('stop a sync with BASELINE=hold before anything changes, if they jump upward; its removals wait', async () => {
      await using t = await afterRuns(setup, 'sync', 7);
      t.source.put(...someRows(LIVE + 20));
      const ended = await t.run('sync', HOLD);
      expect(ended.code).toBe(EXIT.unusualJump);
      expect(ended.output).toContain(
        'nothing was changed: 20 to add; usual are up to 10 (median 0 of 7 runs)',
      );
      expect(await t.names()).toEqual(namesOf(someRows(LIVE)));
      await done(t, 'sync --accept-jump', HOLD);
      expect(await t.names()).toEqual(expected(t));
      lose(t, idsOf(FEW));
      t.source.put({ id: 'new', name: 'new', updated_at: now() });
      await done(t, 'sync --api_job_id 50', { ...HOLD, ...job(50) });
      waits(t);
      // A second attempt loads nothing and tells the same.
      await done(t, 'sync --api_job_id 50', { ...HOLD, ...job(50, { attempt: 2 }) });
      waits(t);
      expect(await t.names()).toEqual({ ...namesOf(someRows(LIVE + 20)), new: 'new' });
    });

    it('stop a listing whose records have lost most of their content, although the limits allow it', async () => {
      const wide = (bytes: number) =>
        someRows(LIVE, now()).map((row) => ({ ...row, name: randomBytes(bytes).toString('hex') }));
      await using t = await setup(wide(500));
      for (let nth = 0; nth <= 7; nth += 1) {
        // Every record changes each time, so the number of updates is usual.
        t.source.put(...wide(500));
        await done(t, 'sync -n 70');
      }
      const before = await t.names();
      t.source.put(...wide(5));
      const ended = await t.run('sync', HOLD);
      expect(ended.code).toBe(EXIT.unusualJump);
      expect(ended.output).toMatch(/a listing of [\d,]+ bytes; usual are [\d,]+ to [\d,]+ \(median/);
      expect(await t.names()).toEqual(before);
      expect(last(t)?.unusual).toMatchObject([{ measure: 'bytes', earlier: SEVEN }]);
    });

    it('are none before the seventh run, nor with BASELINE=off; a second attempt is no run of its own', async () => {
      await using t = await afterRuns(setup, 'delete', 5);
      for (const attempt of [1, 2]) await done(t, 'delete --api_job_id 6', job(6, { attempt }));
      lose(t, idsOf(FEW));
      await done(t, 'delete', HOLD);
      expect([unusual(t), await t.names()]).toEqual([[], expected(t)]);
      lose(t, idsOf(2 * FEW, FEW));
      await done(t, 'delete', { BASELINE: 'off' });
      expect([unusual(t), await t.names()]).toEqual([[], expected(t)]);
      lose(t, idsOf(3 * FEW, 2 * FEW));
      await done(t, 'delete', HOLD);
      waits(t, idsOf(3 * FEW, 2 * FEW));
    });

    it('are not measured by a run that a rollback has undone', async () => {
      await using t = await afterRuns(setup, 'sync', 6);
      lose(t, idsOf(FEW));
      await done(t, 'sync'); // the seventh run
      await done(t, 'rollback');
      expect(await t.names()).toEqual(namesOf(someRows(LIVE)));
      t.source.put(...someRows(LIVE));
      await done(t, 'sync');
      lose(t, idsOf(FEW));
      await done(t, 'sync', HOLD);
      expect(await t.names()).toEqual(namesOf(someRows(LIVE)));
      expect(last(t)?.unusual).toMatchObject([{ measure: 'removed', earlier: SEVEN }]);
    });

    it('are measured by forced runs, too, and by those before a take-over', async () => {
      await using t = await setup(someRows(2 * LIVE));
      const of = (digit: string, nth: number) => ({
        ...adapter.place(t),
        ...HOLD,
        SYNCRATOR_INSTALLATION: `${digit.repeat(8)}-0000-4000-8000-000000000000`,
        SYNCRATOR_JOB_UID: `${digit.repeat(8)}-0000-4000-8000-${String(nth).padStart(12, '0')}`,
      });
      await done(t, 'sync --api_job_id 1', of('a', 1));
      for (let nth = 0; nth < 7; nth += 1) {
        lose(t, idsOf(8 * (nth + 1), 8 * nth));
        await done(t, `delete --force-delete --api_job_id ${nth + 2}`, of('a', nth + 2));
        expect(last(t)).toMatchObject({ deleted: 8 });
      }
      await done(t, 'take-over --api_job_id 1', of('b', 1));
      lose(t, idsOf(64, 56));
      await done(t, 'delete --api_job_id 2', of('b', 2));
      expect(last(t), 'as many as before').toMatchObject({ deleted: 8 });
      lose(t, idsOf(64 + FEW, 64));
      await done(t, 'delete --api_job_id 3', of('b', 3));
      waits(t, idsOf(64 + FEW, 64));
      expect(last(t)?.unusual).toMatchObject([
        { measure: 'removed', earlier: Array.from({ length: 8 }, () => ({ count: 8 })) },
      ]);
    });
  });
}
