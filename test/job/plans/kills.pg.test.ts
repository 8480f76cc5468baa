/** A plan or its apply that is cut off at any statement has done all or nothing, and can be repeated. */

import { expect, it } from 'vitest';
import type { PlanSummary } from '../../../src/job/sinks/plans.ts';
import { attempt, type Attempt, type AttemptEnd } from '../support/attempt.ts';
import { same } from '../support/live-rows.ts';
import { type Round, stage } from '../support/rounds.ts';

const BUSY_MS = 180_000;

type Stage = Awaited<ReturnType<typeof stage>>;

async function planOf(of: Attempt): Promise<{ end: AttemptEnd; plan: PlanSummary | undefined }> {
  let plan: PlanSummary | undefined;
  const end = await attempt({ ...of, plans: true, planned: (made) => (plan = made) });
  return { end, plan };
}

/** A plan that was made without a cut, and the attempt that applies it. */
async function planned(round: Round): Promise<Attempt> {
  const { end, plan } = await planOf(round.of);
  if (!plan) throw new Error(`no plan: ${end.message}`);
  return { ...round.of, job: round.of.job + 1, applies: plan };
}

/** Every other statement, before and after by turns. */
async function cutEach(
  t: Stage,
  act: (round: Round, cut: { at: number; when: 'before' | 'after' }) => Promise<boolean>,
): Promise<void> {
  let at = 1;
  while (await act(await t.prepare(), { at, when: at % 4 === 1 ? 'before' : 'after' })) at += 2;
  expect(at, 'every other statement was cut').toBeGreaterThan(20);
}

it.concurrent.each(['sync', 'delta', 'delete'] as const)(
  'an apply of a %s that is killed at any statement has done all or nothing; repeated, it has done all',
  async (action) => {
    await using t = await stage(action);
    await cutEach(t, async (round, cut) => {
      const of = await planned(round);
      const killed = await t.attemptCut({ ...round, of }, { ...cut, ends: 'program' });
      const rows = await t.rows();
      expect([round.before, round.after], killed.where).toContainEqual(rows);
      if (!killed.cut) return false;
      if (cut.at % 3 > 0) {
        expect(await attempt({ ...of, attempt: 2 }), killed.where).toMatchObject({ code: 'ok' });
      } else {
        // Another job that has the same plan.
        const { code } = await attempt({ ...of, job: of.job + 1 });
        const possible = same(round.before, round.after)
          ? ['ok', 'planStale']
          : [same(rows, round.after) ? 'planStale' : 'ok'];
        expect(possible, killed.where).toContain(code);
      }
      expect(await t.rows(), killed.where).toEqual(round.after);
      return true;
    });
    const end = await attempt((await t.prepare()).of);
    expect(end).toMatchObject({ code: 'ok' });
    expect(await t.leftovers()).toEqual([]);
  },
  BUSY_MS,
);

it.concurrent.each(['sync'] as const)(
  'an apply of a %s goes on after a connection that is cut at any statement',
  async (action) => {
    await using t = await stage(action);
    await cutEach(t, async (round, cut) => {
      const of = await planned(round);
      const end = await t.attemptCut({ ...round, of }, { ...cut, ends: 'connection' });
      expect(end, end.where).toMatchObject({ code: 'ok' });
      expect(await t.rows(), end.where).toEqual(round.after);
      const { told, owed } = await t.counts({ ...round, of });
      expect(told, end.where).toEqual(owed);
      return end.cut;
    });
  },
  BUSY_MS,
);

it.concurrent.each(['sync', 'delta'] as const)(
  'a plan of a %s that is killed at any statement changes nothing, and a repeated plan or a job that follows works',
  async (action) => {
    await using t = await stage(action);
    await cutEach(t, async (round, cut) => {
      const of = { ...round.of, plans: true };
      const killed = await t.attemptCut(
        { ...round, of },
        { ...cut, ends: cut.at % 4 < 2 ? 'program' : 'connection' },
      );
      expect(await t.rows(), killed.where).toEqual(round.before);
      const again: Attempt =
        cut.at % 3 > 0
          ? await planned({
              ...round,
              of: { ...round.of, attempt: 2, checkpoint: killed.checkpoint },
            })
          : { ...round.of, job: of.job + 1 };
      expect(await attempt(again), killed.where).toMatchObject({ code: 'ok' });
      expect(await t.rows(), killed.where).toEqual(round.after);
      return killed.cut;
    });
    expect(await attempt((await t.prepare()).of)).toMatchObject({ code: 'ok' });
    expect(await t.leftovers()).toEqual([]);
  },
  BUSY_MS,
);
