/**
 * What a sink with generations keeps of a plan: it outlives a kill at any change, an older program and hands that write into
 * the live data make it stale, and nothing of it stays behind. For sinks that a proxy stands before.
 */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { apply, makePlan, runJob } from '../../support/plan-setup.ts';
import { lose } from './held-removals.ts';
import { killedAfter } from './kills-after-changes.ts';
import {
  type Action,
  ACTIONS,
  type PlansUnderTest,
  type Proxied,
  type StoredState,
  testWhatPlansLeave,
} from './plans-left.ts';
import { expected, job, last, now } from './tested-sink.ts';

/** As a program that does not know plans writes it. */
function withoutPlan(state: StoredState): StoredState {
  const known: Partial<StoredState> = { ...state };
  delete known.planned;
  return known as StoredState;
}

/** At the source one record is added, one changed and one lost. @returns what the action makes of the sink */
async function change(t: Proxied, action: Action, nth: number): Promise<Record<string, string>> {
  const before = await t.names();
  const lost = `lost ${nth}`;
  t.source.rows.delete(lost);
  if (action !== 'delete') {
    t.source.put({ id: `new ${nth}`, updated_at: now(), name: 'fresh' });
    t.source.put({ id: 'r00020', updated_at: now(), name: `changed ${nth}` });
  }
  if (action === 'delta') return { ...before, ...expected(t) };
  return action === 'sync'
    ? expected(t)
    : Object.fromEntries(Object.entries(before).filter(([id]) => id !== lost));
}

/** Records that are lost one by one; few enough at once for the guard. */
const losable = Array.from({ length: 40 }, (_, nth) => ({
  id: `lost ${nth}`,
  updated_at: '2025-01-01T00:00:00Z',
  name: 'lost',
}));

export function testKeptPlans<T extends Proxied>(name: string, of: PlansUnderTest<T>): void {
  /** Rows of which one is lost in each round. */
  const prepared = async (): Promise<T> => {
    const t = await of.setup([...someRows(40), ...losable]);
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
    return t;
  };

  it.each(ACTIONS)(
    `an apply of a planned %s into ${name} that is killed after any of its changes is completed by the next attempt`,
    { timeout: 600_000 },
    async (action) => {
      await using t = await prepared();
      let nth = 0;
      for (let code: number | null = null; code === null; ) {
        nth += 1;
        const after = await change(t, action, nth);
        const made = await makePlan(t, 10 * nth, action);
        const options = `apply --plan ${made.uid} --digest ${made.summary.digest} --api_job_id ${10 * nth + 1}`;
        code = await killedAfter(t, of.isChange, options, nth, job(10 * nth + 1));
        const ended = await t.run(options, job(10 * nth + 1, { attempt: 2 }));
        expect(ended.code, `after change ${nth}: ${ended.output}`).toBe(EXIT.ok);
        const { added, updated, removed: deleted } = made.summary;
        expect(last(t), `after change ${nth}`).toMatchObject({ added, updated, deleted });
        expect(added + updated + deleted).toBe({ sync: 3, delta: 2, delete: 1 }[action]);
        expect(await t.names(), `after change ${nth}`).toEqual(after);
        expect(await t.pieces(), 'nothing of the plan is left').toEqual([]);
        expect(await t.state()).toMatchObject({ planned: null, dropped_sets: [] });
        const { earlier_runs: runs } = (await t.state()) as StoredState;
        expect(runs[action] ?? [], 'each apply is one run for the baseline').toHaveLength(
          action === 'delta' ? 0 : nth,
        );
      }
      expect(nth).toBeGreaterThan(3);
    },
  );

  it.each(ACTIONS)(
    `a plan of a %s into ${name} that is killed after any of its changes changes nothing, and the next attempt makes it`,
    { timeout: 600_000 },
    async (action) => {
      await using t = await prepared();
      let nth = 0;
      for (let code: number | null = null; code === null; nth += 1) {
        const before = await t.names();
        const after = await change(t, action, nth);
        const options = `plan --of ${action} -n 30 --api_job_id ${10 * nth + 1}`;
        code = await killedAfter(t, of.isChange, options, nth + 1, job(10 * nth + 1));
        expect(await t.names(), `after change ${nth}`).toEqual(before);
        if (nth % 2 === 0) {
          const again = job(10 * nth + 1, { attempt: 2 });
          const made = await makePlan(t, 10 * nth + 1, `${action} -n 30`, again);
          expect(await t.names()).toEqual(before);
          const ended = await apply(t, 10 * nth + 2, made);
          expect(ended.code, ended.output).toBe(EXIT.ok);
        } else expect(await runJob(t, 10 * nth + 2, action)).toMatchObject({ code: EXIT.ok });
        expect(await t.names(), `after change ${nth}`).toEqual(after);
        expect(await t.pieces(), 'nothing of the plan is left').toEqual([]);
      }
      expect(nth).toBeGreaterThan(3);
    },
  );

  describe(`a plan in ${name} is stale`, { timeout: 240_000 }, () => {
    it.each<readonly [Action, string, (t: T) => Promise<void>]>([
      ['sync', 'changed a record that changes', (t) => of.put(t, 'r00020', 'by hand')],
      ['sync', 'changed a record that stays', (t) => of.put(t, 'r00009', 'by hand')],
      ['sync', 'added a record', (t) => of.put(t, 'strange', 'by hand')],
      ['sync', 'removed the record that goes', (t) => of.remove(t, 'lost 1')],
      ['delta', 'changed a record that changes', (t) => of.put(t, 'r00020', 'by hand')],
      ['delta', 'added the record that is new', (t) => of.put(t, 'new 1', 'by hand')],
      ['delete', 'changed the record that goes', (t) => of.put(t, 'lost 1', 'by hand')],
      ['delete', 'removed the record that goes', (t) => of.remove(t, 'lost 1')],
    ])('one of a %s after somebody %s', async (action, _, byHand) => {
      await using t = await prepared();
      await change(t, action, 1);
      const made = await makePlan(t, 2, action);
      await byHand(t);
      const before = await t.names();
      expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.planStale });
      expect(last(t)?.message).toContain('the data have changed since it was made');
      expect(await t.names()).toEqual(before);
      const anew = await makePlan(t, 4, action);
      expect(await apply(t, 5, anew)).toMatchObject({ code: EXIT.ok });
    });

    it.each(ACTIONS)(
      'one of a %s after seven days, and after an older program, which does not know it',
      async (action) => {
        await using t = await prepared();
        await change(t, action, 1);
        const made = await makePlan(t, 2, action);
        const before = await t.names();
        const bornAt = (ms: number) => (state: StoredState) => ({
          ...state,
          planned: state.planned && { ...state.planned, born: new Date(ms).toISOString() },
        });
        const DAYS = 86_400_000;
        await of.changeState(t, bornAt(Date.now() - 7.01 * DAYS));
        expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.planStale });
        expect(last(t)?.message).toContain('older than 7 days');
        await of.changeState(t, bornAt(Date.now() - 6.9 * DAYS));
        await of.changeState(t, (state) => withoutPlan(state));
        expect(await apply(t, 4, made)).toMatchObject({ code: EXIT.planStale });
        expect(await t.names()).toEqual(before);
        expect(await t.pieces(), 'what it left goes with the next job').toEqual([]);
        expect(await runJob(t, 5, action)).toMatchObject({ code: EXIT.ok });
      },
    );
  });

  it(`a plan of a delta in ${name} outlives changes of records that it does not name`, {
    timeout: 240_000,
  }, async () => {
    await using t = await prepared();
    await change(t, 'delta', 1);
    const made = await makePlan(t, 2, 'delta');
    await of.put(t, 'r00009', 'by hand');
    expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.ok });
    expect(await t.names()).toMatchObject({ 'new 1': 'fresh', r00009: 'by hand' });
  });

  it.each(ACTIONS)(
    `forgetting a record erases it from a kept plan of a %s in ${name}`,
    { timeout: 240_000 },
    async (action) => {
      await using t = await prepared();
      t.source.put({ id: 'new', updated_at: now(), name: 'precious' });
      lose(t, ['lost 1']);
      const made = await makePlan(t, 2, action);
      if (action !== 'delete') expect(await of.everything(t)).toContain('precious');
      expect((await t.pieces()).length).toBe(action === 'sync' ? 0 : 1);
      expect(await runJob(t, 3, 'forget-record --id new')).toMatchObject({ code: EXIT.ok });
      expect(await of.everything(t)).not.toContain('precious');
      expect(await t.pieces()).toEqual([]);
      expect(await apply(t, 4, made)).toMatchObject({ code: EXIT.planStale });
    },
  );

  testWhatPlansLeave(name, of, prepared);

  it(`a newer run that forgets ends the telling of a plan in ${name}`, { timeout: 240_000 }, async () => {
    await using t = await of.setup(someRows(700));
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
    t.source.put(...someRows(700, now()).map((row) => ({ ...row, name: 'second' })));
    const forgot: Promise<unknown>[] = [];
    t.receiver.answerPlan = () => {
      if (forgot.length === 0) forgot.push(runJob(t, 3, 'forget-record --id r00600'));
      return undefined;
    };
    const planning = await runJob(t, 2, 'plan --of delta');
    expect(await Promise.all(forgot)).toMatchObject([{ code: EXIT.ok }]);
    expect([EXIT.ok, EXIT.fenced]).toContain(planning.code);
    expect(await t.pieces()).toEqual([]);
  });
}
