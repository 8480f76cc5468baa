/** An attempt cut off at any statement, and what follows: the end is the same as without the cut. */

import { describe, expect, it } from 'vitest';
import { attempt, type Attempt, ACTIONS } from '../../support/attempt.ts';
import { startHeld } from '../../support/held-attempt.ts';
import { type Round, stage } from '../../support/rounds.ts';

/** Seconds on an idle machine. */
const BUSY_MS = 180_000;

/** Only every other cut: to the server, a kill after a statement equals one before the next. */
it.concurrent.each([...ACTIONS, 'remove'] as const)(
  'a %s that is killed at any statement has done all or nothing, and what follows ends as without the kill',
  async (action) => {
    await using t = await stage(action);
    let count = 0;
    for (let at = 1; ; at += 1) {
      const round = await t.prepare();
      const killed = await t.attemptCut(round, {
        at,
        when: at % 2 === 0 ? 'before' : 'after',
        ends: 'program',
      });
      expect([round.before, round.after], killed.where).toContainEqual(await t.rows());
      if (!killed.cut) break;
      count = at;
      expect(await attempt(following(round, at, killed.checkpoint)), killed.where).toMatchObject({
        code: 'ok',
      });
      expect(await t.rows(), killed.where).toEqual(round.after);
    }
    expect(count, 'every statement was cut').toBeGreaterThan(20);
    expect(await t.leftovers()).toEqual([]);
  },
  BUSY_MS,
);

describe.each(['sync', 'delta', 'delete'] as const)('a %s beside a newer attempt', (action) => {
  it('leaves the listing of the newer attempt unchanged, even if it begins its own later', async () => {
    await using t = await stage(action);
    const { of, after } = await t.prepare();
    const { records } = t.source;
    const older = startHeld({ attempt: of, records, stands: 'opened' });
    await older.standing;
    const newer = startHeld({ attempt: { ...of, attempt: 2 }, records, stands: 'loaded' });
    await newer.standing;
    older.letGo();
    expect(await older.ended).toMatchObject({ code: 'fenced' });
    newer.letGo();
    expect(await newer.ended).toMatchObject({ code: 'ok' });
    expect(await t.rows()).toEqual(after);
  });

  it('writes nothing although all of its older data are loaded', async () => {
    await using t = await stage(action);
    const { records } = t.source;
    const first = await t.prepare();
    const older = startHeld({ attempt: first.of, records: records.slice(1), stands: 'loaded' });
    await older.standing;
    expect(await attempt({ ...first.of, attempt: 2 })).toMatchObject({ code: 'ok' });
    older.letGo();
    expect(await older.ended).toMatchObject({ code: 'fenced' });
    expect(await t.rows()).toEqual(first.after);
  });
});

/** One of the three things that may follow a killed attempt. */
function following({ of }: Round, at: number, checkpoint: Attempt['checkpoint']): Attempt {
  const again = { ...of, checkpoint: checkpoint ?? null };
  if (at % 3 === 0) return { ...again, attempt: 2 };
  if (at % 3 === 1) return { ...again, job: of.job + 1, origin: of.job };
  return { ...of, job: of.job + 1 };
}
