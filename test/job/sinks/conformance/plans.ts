/** A plan shows what a sync, delta or delete would do, and its apply does exactly that or nothing, in every sink. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { page, someRows } from '../../support/fake-source.ts';
import { apply, makePlan, runJob } from '../../support/plan-setup.ts';
import { namesOf } from '../../support/setup.ts';
import { idsOf, lose, waiting } from './held-removals.ts';
import { all, synced, without } from './told-deletions.ts';
import { expected, job, last, now, type SetUp, type TestedSink, uid } from './tested-sink.ts';

/** After the watermark, so that a delta finds it. */
const NOW = now();

/** 40 records synchronised; then one is added, one changed and one removed at the source. */
async function changed(setup: SetUp): Promise<TestedSink> {
  const t = await setup(someRows(40));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.put({ id: 'new', updated_at: NOW, name: 'fresh' });
  t.source.put({ id: 'r00002', updated_at: NOW, name: 'other' });
  t.source.rows.delete('r00003');
  return t;
}

const changedRows = (from: number, to: number) =>
  someRows(to, NOW)
    .slice(from)
    .map((row) => ({ ...row, name: 'changed' }));

const minutesAgo = (minutes: number): string =>
  new Date(Date.now() - minutes * 60_000).toISOString().slice(0, 23).replace('T', ' ');

const kindsOf = (made: Awaited<ReturnType<typeof makePlan>>) =>
  made.records.map(({ kind, id }) => [kind, id]);

function testSync(name: string, setup: SetUp): void {
  describe(`a plan of a sync into ${name}`, { timeout: 240_000 }, () => {
    it('tells each record that would change, changes nothing, and its apply does exactly that', async () => {
      await using t = await changed(setup);
      const before = await t.names();
      const made = await makePlan(t, 2, 'sync');
      expect(await t.names()).toEqual(before);
      expect(made.summary).toMatchObject({ of: 'sync', live: 40, listed: 40 });
      expect(made.summary).toMatchObject({ added: 1, updated: 1, removed: 1, held: 0, kept: 0 });
      expect(made.summary.digest).toMatch(/^[0-9a-f]{64}$/);
      const [added, updated, removed, ...more] = made.records;
      expect(added).toMatchObject({ id: 'new', kind: 'added', before: null, after: { name: 'fresh' } });
      expect(updated).toMatchObject({ id: 'r00002', kind: 'updated', before: { name: 'row 2' } });
      expect(updated?.after).toMatchObject({ name: 'other' });
      const { updated_at: at = '' } = (updated?.after ?? {}) as { updated_at?: string };
      expect(Date.parse(at)).toBe(Date.parse(NOW));
      expect(Object.keys(updated?.before as object).toSorted()).toEqual(['name', 'updated_at']);
      expect(removed).toMatchObject({
        id: 'r00003',
        kind: 'removed',
        before: { name: 'row 3' },
        after: null,
      });
      expect(more).toEqual([]);
      expect(last(t)).toMatchObject({ phase: 'done', failed: 0 });
      expect(last(t), 'a job that changed nothing has no counts').not.toHaveProperty('added');
      expect(last(t)).not.toHaveProperty('watermark');

      const planned = expected(t);
      t.source.put({ id: 'after the plan', updated_at: NOW, name: 'late' });
      const ended = await apply(t, 3, made);
      expect(ended, ended.output).toMatchObject({ code: EXIT.ok });
      expect(await t.names()).toEqual(planned);
      expect(last(t)).toMatchObject({ phase: 'done', added: 1, updated: 1, deleted: 1, listing: 'complete' });
      expect(last(t)?.watermark).toBe(made.summary.watermark);
      const back = await runJob(t, 4, `rollback --before ${uid(3)}`);
      expect(back.code, back.output).toBe(EXIT.ok);
      expect(await t.names(), 'the change is a sync of its own').toEqual(before);
    });

    it('of an empty sink tells all records, and its apply fills it', async () => {
      await using t = await setup(someRows(30));
      const made = await makePlan(t, 1, 'sync');
      expect(await t.names()).toEqual({});
      expect(made.summary).toMatchObject({ live: 0, listed: 30, added: 30, updated: 0, removed: 0 });
      expect(made.records.map(({ id }) => id)).toEqual(idsOf(30));
      expect(await apply(t, 2, made)).toMatchObject({ code: EXIT.ok });
      expect(await t.names()).toEqual(expected(t));
      expect((await runJob(t, 3, 'delta')).code).toBe(EXIT.ok);
    });

    it('that a guard refuses fails as the sync would, and so does one of an empty or cut source', async () => {
      await using t = await changed(setup);
      const before = await t.names();
      t.source.put(...someRows(30, NOW));
      const limit = { SYNCRATOR_MAX_UPDATE_PERCENT: '50' };
      expect(await runJob(t, 2, 'plan --of sync', limit)).toMatchObject({ code: EXIT.updateGuard });
      const message = last(t)?.message;
      expect((await runJob(t, 3, 'sync', limit)).code).toBe(EXIT.updateGuard);
      expect(last(t)?.message).toBe(message);
      t.source.bend = (listing) => page(listing, { total: listing.total + 1 });
      expect((await runJob(t, 4, 'plan --of sync')).code).toBe(EXIT.incompleteListing);
      t.source.bend = (listing) => page({ ...listing, rows: [], total: 0, more: false });
      for (const options of ['sync', 'sync --force-delete', 'delete --force-delete'])
        expect((await runJob(t, 5, `plan --of ${options}`)).code).toBe(EXIT.deleteGuard);
      expect(t.receiver.plan).toBeNull();
      expect(await t.names()).toEqual(before);
    });

    it('shows what would wait for an answer, and its apply holds exactly that', async () => {
      await using t = await setup(someRows(40));
      await runJob(t, 1, 'sync');
      lose(t, idsOf(10));
      const made = await makePlan(t, 2, 'sync');
      expect(made.summary).toMatchObject({ removed: 0, held: 10, kept: 10 });
      expect(kindsOf(made)).toEqual(idsOf(10).map((id) => ['held', id]));
      expect(made.records[0]).toMatchObject({ before: { name: 'row 1' }, after: null });
      expect(last(t)?.warnings).toContain('10 removals would wait for an answer');
      expect(waiting(t), 'nothing is told to wait yet').toEqual([]);
      expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ deleted: 0, held: 10 });
      expect([waiting(t), await t.names()]).toEqual([idsOf(10), namesOf(someRows(40))]);
      const again = await makePlan(t, 4, 'sync');
      expect(again.summary).toMatchObject({ removed: 0, held: 10 });
      const lifted = await makePlan(t, 5, 'sync --force-delete');
      expect(lifted.summary).toMatchObject({ removed: 10, held: 0 });
      expect(await apply(t, 6, lifted)).toMatchObject({ code: EXIT.ok });
      expect([waiting(t), await t.names()]).toEqual([[], expected(t)]);
    });

    it('shows a record over 64 KiB without its content, and odd ids as they are', async () => {
      await using t = await setup(someRows(3));
      await runJob(t, 1, 'sync');
      const ids = ['__proto__', '--force', 'é "quoted"\\', 'x'.repeat(400)];
      for (const id of ids) t.source.put({ id, updated_at: NOW, name: 'odd' });
      t.source.put({ id: 'zz', updated_at: NOW, name: 'long '.repeat(15_000) });
      const made = await makePlan(t, 2, 'sync');
      const sorted = ids.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
      expect(made.records.map(({ id }) => id).filter((id) => id !== 'zz')).toEqual(sorted);
      expect(made.records.find(({ id }) => id === 'zz')).toMatchObject({ before: null, after: null });
      expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.ok });
      expect((await t.names())['zz']).toHaveLength(75_000);
    });
  });
}

function testDelete(name: string, setup: SetUp): void {
  describe(`a plan of a delete in ${name}`, { timeout: 240_000 }, () => {
    it('and its apply remove alone; a rollback brings the removed record back', async () => {
      await using t = await changed(setup);
      const { watermark } = last(t) ?? {};
      const before = await t.names();
      const made = await makePlan(t, 2, 'delete');
      expect(await t.names()).toEqual(before);
      expect(made.summary).toMatchObject({ of: 'delete', added: 0, updated: 0, removed: 1, watermark });
      expect(made.records).toMatchObject([{ kind: 'removed', id: 'r00003', before: { name: 'row 3' } }]);
      const ended = await apply(t, 3, made);
      expect(ended, ended.output).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ deleted: 1, listing: 'complete' });
      const { r00003: _, ...rest } = before;
      expect(await t.names()).toEqual(rest);
      const back = await runJob(t, 4, `rollback --before ${uid(3)} --only`);
      expect(back.code, back.output).toBe(EXIT.ok);
      expect(await t.names()).toEqual(before);
    });

    it('shows what would wait for an answer, and its apply holds exactly that', async () => {
      await using t = await setup(someRows(40));
      await runJob(t, 1, 'sync');
      lose(t, idsOf(10));
      const made = await makePlan(t, 2, 'delete');
      expect(made.summary).toMatchObject({ removed: 0, held: 10, kept: 10 });
      expect(kindsOf(made)).toEqual(idsOf(10).map((id) => ['held', id]));
      expect(waiting(t)).toEqual([]);
      expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.ok });
      expect([waiting(t), await t.names()]).toEqual([idsOf(10), namesOf(someRows(40))]);
      const lifted = await makePlan(t, 4, 'delete --force-delete');
      expect(lifted.summary).toMatchObject({ removed: 10, held: 0 });
      expect(await apply(t, 5, lifted)).toMatchObject({ code: EXIT.ok });
      expect([waiting(t), await t.names()]).toEqual([[], expected(t)]);
    });
  });
}

function testDelta(name: string, setup: SetUp): void {
  describe(`a plan of a delta into ${name}`, { timeout: 240_000 }, () => {
    it.each(['', ' -n 7 -c 3'])(
      'writes nothing, and its apply writes what the delta would%s',
      async (options) => {
        await using t = await changed(setup);
        t.source.put(...changedRows(20, 30));
        const before = await t.names();
        const made = await makePlan(t, 2, `delta${options}`);
        expect(await t.names()).toEqual(before);
        expect(made.summary).toMatchObject({
          of: 'delta',
          live: 40,
          added: 1,
          updated: 11,
          removed: 0,
          listed: 12,
        });
        expect(kindsOf(made)).toEqual([
          ['added', 'new'],
          ...['r00002', ...idsOf(30, 20)].map((id) => ['updated', id]),
        ]);
        expect(made.records[0]).toMatchObject({ before: null, after: { name: 'fresh' } });
        expect(made.records[1]).toMatchObject({ before: { name: 'row 2' }, after: { name: 'other' } });
        expect(Object.keys(made.records[1]?.before as object).toSorted()).toEqual(['name', 'updated_at']);
        expect(Object.keys(made.records[1]?.after as object).toSorted()).toEqual(['name', 'updated_at']);
        const planned = { ...before, ...expected(t) };
        t.source.put({ id: 'after the plan', updated_at: now(), name: 'late' });
        const ended = await apply(t, 3, made);
        expect(ended, ended.output).toMatchObject({ code: EXIT.ok });
        expect(last(t)).toMatchObject({ added: 1, updated: 11, deleted: 0 });
        expect(last(t)).not.toHaveProperty('listing');
        expect(last(t)?.watermark).toBe(made.summary.watermark);
        expect(await t.names()).toEqual(planned);
        expect(await runJob(t, 4, 'delta')).toMatchObject({ code: EXIT.ok });
        expect(last(t)).toMatchObject({ added: 1, updated: 0 });
        expect(await t.names()).toEqual({ ...planned, 'after the plan': 'late' });
      },
    );

    it('that has nothing to change moves the watermark with its apply', async () => {
      await using t = await setup(someRows(20));
      await runJob(t, 1, 'sync');
      const made = await makePlan(t, 2, 'delta');
      expect(made.records).toEqual([]);
      expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 0, watermark: made.summary.watermark });
    });

    it('shows deletions that the source tells, and its apply makes them; a rollback brings them back', async () => {
      await using p = await synced(setup, 60);
      await p.mark(['p00001', 'p00060'], { at: minutesAgo(0) });
      await p.put('p00100');
      const made = await makePlan(p.t, 2, 'delta', p.settings);
      expect(await p.t.names()).toEqual(all(60));
      expect(made.summary).toMatchObject({ added: 1, updated: 0, removed: 2, held: 0 });
      expect(kindsOf(made)).toEqual([
        ['added', 'p00100'],
        ['removed', 'p00001'],
        ['removed', 'p00060'],
      ]);
      expect(made.records[1]).toMatchObject({ before: { name: 'first' }, after: null });
      const ended = await apply(p.t, 3, made, p.settings);
      expect(ended, ended.output).toMatchObject({ code: EXIT.ok });
      expect(last(p.t)).toMatchObject({ added: 1, deleted: 2 });
      const left = { ...without(all(60), ['p00001', 'p00060']), p00100: 'second' };
      expect(await p.t.names()).toEqual(left);
      const back = await runJob(p.t, 4, `rollback --before ${uid(3)} --only`);
      expect(back.code, back.output).toBe(EXIT.ok);
      expect(await p.t.names()).toMatchObject(all(60));
    });

    it('holds them above the limits beside what waits already, and so does its apply', async () => {
      await using p = await synced(setup, 60);
      await p.exec(`DELETE FROM places WHERE id IN ('p00002', 'p00050')`);
      const strict = { ...p.settings, SYNCRATOR_MAX_DELETE_PERCENT: '0' };
      await p.run('sync --api_job_id 2', { ...job(2), ...strict });
      expect(waiting(p.t)).toEqual(['p00002', 'p00050']);
      await p.mark(['p00001', 'p00060'], { at: minutesAgo(0) });
      const made = await makePlan(p.t, 3, 'delta', strict);
      expect(made.summary).toMatchObject({ removed: 0, held: 2, kept: 2 });
      expect(kindsOf(made)).toEqual([
        ['held', 'p00001'],
        ['held', 'p00060'],
      ]);
      expect(waiting(p.t)).toEqual(['p00002', 'p00050']);
      expect(await apply(p.t, 4, made, strict)).toMatchObject({ code: EXIT.ok });
      expect(last(p.t)).toMatchObject({ deleted: 0, held: 2 });
      expect(waiting(p.t)).toEqual(['p00001', 'p00002', 'p00050', 'p00060']);
      expect(await p.t.names()).toEqual(all(60));
      const lifted = await makePlan(p.t, 5, 'delta --force-delete', strict);
      expect(lifted.summary).toMatchObject({ removed: 2, held: 0 });
      expect(await apply(p.t, 6, lifted, strict)).toMatchObject({ code: EXIT.ok });
      expect(waiting(p.t)).toEqual(['p00002', 'p00050']);
    });
  });
}

function testStale(name: string, setup: SetUp): void {
  describe(`a plan in ${name} is stale`, { timeout: 240_000 }, () => {
    it.each([
      ['sync', 'a sync', 'sync'],
      ['sync', 'a delta', 'delta'],
      ['sync', 'a delete', 'delete'],
      ['sync', 'a take-over', 'take-over'],
      ['sync', 'a record was forgotten', 'forget-record --id r00009'],
      ['delta', 'a sync', 'sync'],
      ['delta', 'a delta', 'delta'],
      ['delta', 'a delete', 'delete'],
      ['delta', 'a rollback', `rollback --before ${uid(2)}`],
      ['delta', 'a record was forgotten', 'forget-record --id r00009'],
      ['delete', 'a sync', 'sync'],
      ['delete', 'a delta', 'delta'],
      ['delete', 'a delete', 'delete'],
      ['delete', 'a rollback', `rollback --before ${uid(2)}`],
      ['delete', 'a take-over', 'take-over'],
      ['delete', 'a record was forgotten', 'forget-record --id r00009'],
    ])('one of a %s after %s', async (planned, _, options) => {
      await using t = await setup(someRows(40));
      await runJob(t, 1, 'sync');
      t.source.put({ id: 'r00001', updated_at: NOW, name: 'second' });
      await runJob(t, 2, 'sync');
      t.source.put({ id: 'new', updated_at: now(), name: 'fresh' });
      t.source.rows.delete('r00003');
      const made = await makePlan(t, 3, planned);
      const ended = await runJob(t, 4, options);
      expect(ended.code, ended.output).toBe(EXIT.ok);
      const before = await t.names();
      expect(await apply(t, 5, made)).toMatchObject({ code: EXIT.planStale });
      expect(last(t)?.message).toContain('nothing was changed, since the plan no longer holds');
      expect(await t.names()).toEqual(before);
      expect((await runJob(t, 6, 'sync')).code, 'the next sync works').toBe(EXIT.ok);
      expect(await t.names()).toEqual(expected(t));
    });

    it.each(['sync', 'delta', 'delete'])(
      'one of a %s once a newer plan replaces it, which can be applied',
      async (planned) => {
        await using t = await changed(setup);
        const first = await makePlan(t, 2, planned);
        const second = await makePlan(t, 3, 'sync');
        expect(await apply(t, 4, first)).toMatchObject({ code: EXIT.planStale });
        expect(await apply(t, 5, second)).toMatchObject({ code: EXIT.ok });
        expect(await t.names()).toEqual(expected(t));
      },
    );

    it('with another digest, and once it is applied; a repeated attempt tells the same counts', async () => {
      await using t = await changed(setup);
      const made = await makePlan(t, 2, 'sync');
      const other = { ...made, summary: { ...made.summary, digest: '0'.repeat(64) } };
      expect(await apply(t, 3, other)).toMatchObject({ code: EXIT.planStale });
      expect(last(t)?.message).toContain('has another digest');
      expect(await apply(t, 4, made, job(4))).toMatchObject({ code: EXIT.ok });
      const { added, updated, deleted } = last(t) ?? {};
      expect([added, updated, deleted]).toEqual([1, 1, 1]);
      expect(await apply(t, 4, made, job(4, { attempt: 2 }))).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ added, updated, deleted });
      const before = await t.names();
      expect(await apply(t, 5, made)).toMatchObject({ code: EXIT.planStale });
      expect(await t.names()).toEqual(before);
    });
  });

  it(`a plan of a delete in ${name} outlives jobs that load and fail`, { timeout: 240_000 }, async () => {
    await using t = await changed(setup);
    const made = await makePlan(t, 2, 'delete');
    t.source.put(...someRows(30, NOW).filter(({ id }) => id !== 'r00003'));
    const limit = { SYNCRATOR_MAX_UPDATE_PERCENT: '50' };
    expect(await runJob(t, 3, 'sync', limit)).toMatchObject({ code: EXIT.updateGuard });
    expect(await runJob(t, 4, 'plan --of sync', limit)).toMatchObject({ code: EXIT.updateGuard });
    const ended = await apply(t, 5, made);
    expect(ended, ended.output).toMatchObject({ code: EXIT.ok });
    expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 1 });
  });

  it(`of two applies into ${name} at once one makes the changes, and the other none`, {
    timeout: 240_000,
  }, async () => {
    await using t = await changed(setup);
    const made = await makePlan(t, 2, 'sync');
    const codes = (await Promise.all([apply(t, 3, made), apply(t, 4, made)])).map(({ code }) => code);
    expect(codes).toContain(EXIT.ok);
    expect(codes.filter((code) => code === EXIT.planStale || code === EXIT.fenced)).toHaveLength(1);
    expect(await t.names()).toEqual(expected(t));
  });
}

export function testPlans(name: string, setup: SetUp): void {
  testSync(name, setup);
  testDelete(name, setup);
  testDelta(name, setup);
  testStale(name, setup);
}
