/**
 * What every sink does, whatever it stores records in: the same tests for Postgres, Solr and OpenSearch. Each calls
 * {@link testSink} with a small adapter; what only one of them does is tested beside it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { type FakeRow, lines, page, someRows } from '../support/fake-source.ts';
import { type Ended, namesOf, type Setup } from '../support/setup.ts';

export type TestedSink = AsyncDisposable &
  Pick<Setup, 'source' | 'receiver'> & {
    /** Runs the program in this process. */
    run(options: string, environment?: Record<string, string>): Promise<Ended>;
    /** Starts the program as a child process. */
    spawn(options: string, environment?: Record<string, string>): ReturnType<Setup['spawn']>;
    /** id -> name, as readers see it. */
    names(): Promise<Record<string, string>>;
  };

export type SinkAdapter = {
  /** Starts the server of all tests. */
  start(): Promise<{
    setup(rows?: readonly FakeRow[]): Promise<TestedSink>;
    stop(): Promise<void>;
  }>;
  /** A record that the sink refuses after this, and why. */
  readonly refused: {
    readonly fields: Record<string, unknown>;
    readonly why: RegExp;
    readonly environment?: Record<string, string>;
    prepare?(t: TestedSink): Promise<void>;
  };
  /** The setting that names the place, with which a run of another target reaches it too. */
  readonly place: (t: TestedSink) => Record<string, string>;
};

const now = (): string => new Date().toISOString();
const last = (t: TestedSink) => t.receiver.reports.at(-1);
const expected = (t: TestedSink) => namesOf(t.source.rows.values());
const uid = (nth: number): string => `00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`;
const job = (nth: number, more: { origin?: number; attempt?: number } = {}): Record<string, string> => ({
  SYNCRATOR_JOB_UID: uid(nth),
  SYNCRATOR_ORIGIN_UID: uid(more.origin ?? nth),
  SYNCRATOR_ATTEMPT: String(more.attempt ?? 1),
});
const changed = (count: number, name = 'changed') => someRows(count, now()).map((row) => ({ ...row, name }));

/** Two syncs, by jobs 1 and 2: the second one is bad. */
async function goodThenBad(t: TestedSink): Promise<void> {
  expect(await t.run('sync --api_job_id 1', job(1))).toMatchObject({ code: EXIT.ok });
  for (const { id } of someRows(2)) t.source.rows.delete(id);
  t.source.put({ id: 'r00009', updated_at: now(), name: 'bad', pages: 1 });
  t.source.put({ id: 'zzz', updated_at: now(), name: 'bad' });
  expect(await t.run('sync --api_job_id 2', job(2))).toMatchObject({ code: EXIT.ok });
}

export function testSink(name: string, adapter: SinkAdapter): void {
  let setup: (rows?: readonly FakeRow[]) => Promise<TestedSink>;
  let stop: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    ({ setup, stop } = await adapter.start());
  }, 660_000); // the first run gets the server from Maven Central
  afterAll(() => stop?.());

  describe(`a sync into ${name}`, () => {
    it.each(['-n 10', '-n 7 -c 3', '-n 1000'])('writes and counts every record, with %s', async (options) => {
      await using t = await setup(someRows(95));
      t.source.pageSize = 40;
      expect(await t.run(`sync ${options} --api_job_id 4`)).toMatchObject({ code: EXIT.ok });
      expect(await t.names()).toEqual(expected(t));
      expect(last(t)).toMatchObject({
        phase: 'done',
        records_done: 95,
        records_total: 95,
        added: 95,
        updated: 0,
        deleted: 0,
        failed: 0,
      });
    });

    it('adds, updates and removes what differs, and counts it', async () => {
      await using t = await setup(someRows(60));
      await t.run('sync');
      t.source.rows.delete('r00003');
      t.source.put({ id: 'r00004', updated_at: '2026-01-01T00:00:00Z', name: 'other' });
      t.source.put({ id: 'zzz', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
      expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ added: 1, updated: 1, deleted: 1 });
      expect(await t.names()).toEqual(expected(t));
    });

    it('changes nothing for an empty source, above the limits, or after a truncated listing', async () => {
      await using t = await setup(someRows(20));
      await t.run('sync');
      const before = await t.names();
      t.source.pageSize = 10;
      t.source.bend = (listing) => page(listing, { total: 21 });
      expect((await t.run('sync')).code).toBe(EXIT.incompleteListing);
      t.source.bend = null;
      for (const { id } of someRows(6)) t.source.rows.delete(id);
      expect((await t.run('sync')).code).toBe(EXIT.deleteGuard);
      expect(await t.names()).toEqual(before);
      expect((await t.run('sync --force-delete')).code).toBe(EXIT.ok);
      const forced = await t.names();
      expect(forced).toEqual(expected(t));
      t.source.rows.clear();
      for (const options of ['sync', 'sync --force-delete']) {
        expect((await t.run(options)).code).toBe(EXIT.deleteGuard);
        expect(last(t)?.message).toContain('the source is empty');
      }
      expect(await t.names()).toEqual(forced);
    });
  });

  describe(`a delta and a delete in ${name}`, () => {
    it('fail and ask for a sync if no sync has completed', async () => {
      await using t = await setup(someRows(3));
      for (const action of ['delta', 'delete']) {
        expect((await t.run(action)).code).toBe(EXIT.failed);
        expect(last(t)?.message).toContain('run sync first');
      }
      expect(await t.names()).toEqual({});
    });

    it.each(['-n 2', '-n 3 -c 3', '-n 1000'])(
      'write the changed records and remove the missing ones, with %s',
      async (options) => {
        await using t = await setup(someRows(60));
        t.source.pageSize = 25;
        await t.run('sync');
        t.source.put(...changed(7));
        t.source.put({ id: 'a,new', updated_at: now(), name: 'new' });
        for (const id of ['r00010', 'r00030', 'r00060']) t.source.rows.delete(id);
        expect(await t.run(`delta ${options}`)).toMatchObject({ code: EXIT.ok });
        expect(last(t)).toMatchObject({ phase: 'done', added: 1, updated: 7, records_done: 8 });
        // Within the margin of the watermark everything is read again, and nothing has changed.
        expect((await t.run(`delta ${options}`)).code).toBe(EXIT.ok);
        expect(last(t)).toMatchObject({ added: 0, updated: 0, records_done: 8 });
        t.source.put({ id: 'later', updated_at: now(), name: 'not for delete to add' });
        expect(await t.run(`delete ${options}`)).toMatchObject({ code: EXIT.ok });
        expect(last(t)).toMatchObject({ phase: 'done', deleted: 3 });
        t.source.rows.delete('later');
        expect(await t.names()).toEqual(expected(t));
      },
    );

    it('remove nothing for an empty source, after a truncated listing, or above the limits', async () => {
      await using t = await setup(someRows(20));
      await t.run('sync');
      const before = await t.names();
      t.source.bend = (listing) =>
        page(listing, { body: lines(listing.rows, true).split('\n').slice(0, -3).join('\n').concat('\n') });
      expect((await t.run('delete --force-delete')).code).toBe(EXIT.incompleteListing);
      t.source.bend = null;
      for (const { id } of someRows(6)) t.source.rows.delete(id);
      expect((await t.run('delete')).code).toBe(EXIT.deleteGuard);
      t.source.rows.clear();
      expect((await t.run('delete --force-delete')).code).toBe(EXIT.deleteGuard);
      expect(await t.names()).toEqual(before);
    });
  });

  describe(`a record that ${name} refuses`, () => {
    it('is named, counts against MAX_REJECTED, and leaves what is live under its id', async () => {
      await using t = await setup(someRows(5));
      const environment = adapter.refused.environment ?? {};
      await t.run('sync', environment);
      await adapter.refused.prepare?.(t);
      t.source.put({ id: 'r00003', updated_at: now(), ...adapter.refused.fields });
      t.source.put({ id: 'r00001', updated_at: now(), name: 'good' });
      const refused = await t.run('sync -n 3', environment);
      expect(refused.code).toBe(EXIT.recordsRejected);
      expect(last(t)?.message).toMatch(/^1 bad record, and MAX_REJECTED allows 0; nothing was changed\./);
      expect(last(t)?.failed_items).toEqual([
        { id: 'r00003', why: expect.stringMatching(adapter.refused.why) as string },
      ]);
      expect(await t.names()).toEqual(namesOf(someRows(5)));
      const live = { ...namesOf(someRows(5)), r00001: 'good' };
      expect((await t.run('sync -n 3', { ...environment, MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ failed: 1, deleted: 0, failed_items: [{ id: 'r00003' }] });
      expect(await t.names()).toEqual(live);
      expect((await t.run('delta', { ...environment, MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ failed: 1 });
      expect(await t.names()).toEqual(live);
      expect(refused.output + JSON.stringify(t.receiver.reports)).not.toContain('precious');
    });
  });

  describe(`a second attempt in ${name}`, () => {
    it('of a sync, also as a resumed job, loads nothing and keeps the way back', async () => {
      await using t = await setup(someRows(20));
      await goodThenBad(t);
      t.source.requests.length = 0;
      for (const [id, again] of [
        [2, job(2, { attempt: 2 })],
        [2, job(2, { attempt: 3 })],
      ] as const) {
        expect((await t.run(`sync --api_job_id ${id}`, again)).code).toBe(EXIT.ok);
        expect(last(t)).toMatchObject({ phase: 'done', added: 1, updated: 1, deleted: 2 });
      }
      expect(t.source.requests).toEqual([]);
      expect((await t.run('rollback --api_job_id 4', job(4))).code).toBe(EXIT.ok);
      expect(await t.names()).toEqual(namesOf(someRows(20)));
    });

    it.each(['delta', 'delete'])('of a completed %s changes nothing', async (action) => {
      await using t = await setup(someRows(20));
      await t.run('sync --api_job_id 1', job(1));
      t.source.put({ id: 'r00004', updated_at: now(), name: 'changed' });
      t.source.rows.delete('r00005');
      expect((await t.run(`${action} --api_job_id 2`, job(2))).code).toBe(EXIT.ok);
      const { added, updated, deleted } = last(t) ?? {};
      expect([added, updated, deleted]).toEqual(action === 'delta' ? [0, 1, 0] : [0, 0, 1]);
      const before = await t.names();
      t.source.rows.delete('r00006');
      t.source.put({ id: 'r00007', updated_at: now(), name: 'changed' });
      t.source.requests.length = 0;
      expect((await t.run(`${action} --api_job_id 2`, job(2, { attempt: 2 }))).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ added, updated, deleted });
      expect(t.source.requests).toEqual([]);
      expect(await t.names()).toEqual(before);
      // The job's next step is another one.
      const next = { ...job(2), SYNCRATOR_STEP: '1' };
      expect((await t.run(`${action} --api_job_id 2`, next)).code).toBe(EXIT.ok);
      expect(await t.names()).not.toEqual(before);
    });
  });

  describe(`a rollback in ${name}`, () => {
    it('undoes the last sync once, however often it is tried, and is undone by its own job', async () => {
      await using t = await setup(someRows(20));
      expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
      await t.run('sync --api_job_id 1', job(1));
      expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
      await goodThenBad(t);
      const bad = await t.names();
      for (const [id, again] of [
        [3, job(3)],
        [3, job(3, { attempt: 2 })],
        [4, job(4, { origin: 3 })],
      ] as const) {
        expect((await t.run(`rollback --api_job_id ${id}`, again)).code).toBe(EXIT.ok);
        expect(last(t)).toMatchObject({ added: 2, updated: 1, deleted: 1 });
        expect(await t.names()).toEqual(namesOf(someRows(20)));
      }
      expect((await t.run(`rollback --before ${uid(3)} --api_job_id 5`, job(5))).code).toBe(EXIT.ok);
      expect(await t.names()).toEqual(bad);
    });

    it('previews its effect without changing anything, and --expect enforces the preview', async () => {
      await using t = await setup(someRows(20));
      await goodThenBad(t);
      const before = await t.names();
      const preview = async () => {
        expect((await t.run('rollback --preview --api_job_id 9', job(9))).code).toBe(EXIT.ok);
        return last(t)?.rollback_preview;
      };
      const first = await preview();
      expect(first).toMatchObject({
        before: { job_id: 2, job_uid: uid(2), action: 'sync' },
        added: 2,
        updated: 1,
        removed: 1,
        changed_by_others: 0,
      });
      expect(first?.sample.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
        [
          { id: 'r00001', change: 'added', fields: [] },
          { id: 'r00002', change: 'added', fields: [] },
          { id: 'r00009', change: 'updated', fields: ['updated_at', 'name', 'pages'] },
          { id: 'zzz', change: 'removed', fields: [] },
        ].map((one) => ({ ...one, fields: expect.arrayContaining(one.fields) as string[] })),
      );
      expect(await t.names()).toEqual(before);

      t.source.put({ id: 'r00010', updated_at: now(), name: 'changed meanwhile' });
      await t.run('delta --api_job_id 3', job(3));
      const live = await t.names();
      const back = (digest = ''): string => `rollback --before ${uid(2)} --expect ${digest} --api_job_id 4`;
      expect((await t.run(back(first?.digest), job(4))).code).toBe(EXIT.previewChanged);
      expect(await t.names()).toEqual(live);
      expect((await t.run(back((await preview())?.digest), job(4))).code).toBe(EXIT.ok);
      expect(await t.names()).toEqual(namesOf(someRows(20)));
    });
  });

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

  describe(`a program that is killed at a random moment, writing ${name}`, () => {
    it.each(['sync', 'delta', 'delete', 'rollback'])(
      'during a %s has left whole records, and the next attempt ends as without the kill',
      { timeout: 240_000 },
      async (action) => {
        await using t = await setup(someRows(40));
        let id = 1;
        await t.run(`sync --api_job_id ${id}`, job(id));
        for (let round = 1; round <= 3; round += 1) {
          const { before, after } = await prepareRound(t, action, () => (id += 1));
          id += 1;
          const options = `${action} -n 5 --api_job_id ${id}`;
          const saved = t.receiver.reports.length;
          const { child, ended } = t.spawn(options, job(id));
          await expect.poll(() => t.receiver.reports.length, { interval: 5 }).toBeGreaterThan(saved);
          const delay = Math.floor(Math.random() * 400);
          const timer = setTimeout(() => child.kill('SIGKILL'), delay);
          await ended;
          clearTimeout(timer);
          const where = `${action}, round ${round}, killed after ${delay} ms`;
          const seen = await t.names();
          if (action === 'sync' || action === 'rollback') expect([before, after], where).toContainEqual(seen);
          const checkpoint = JSON.stringify(t.receiver.reports.slice(saved).at(-1)?.checkpoint ?? null);
          const again = { ...job(id, { attempt: 2 }), SYNCRATOR_CHECKPOINT: checkpoint };
          expect(await t.run(options, again), where).toMatchObject({ code: EXIT.ok });
          expect(await t.names(), where).toEqual(after);
        }
      },
    );
  });
}

/** Changes the source so that the action has something to do. @returns what readers see before and after it */
async function prepareRound(
  t: TestedSink,
  action: string,
  nextJob: () => number,
): Promise<{ before: Record<string, string>; after: Record<string, string> }> {
  const id = nextJob();
  const put = () => t.source.put(...changed(30, `of job ${id}`));
  if (action === 'rollback') {
    const after = await t.names();
    put();
    await t.run(`sync --api_job_id ${id}`, job(id));
    return { before: await t.names(), after };
  }
  const before = await t.names();
  if (action === 'delete') {
    const [first] = t.source.rows.keys();
    t.source.rows.delete(first ?? '');
  } else put();
  return { before, after: expected(t) };
}
