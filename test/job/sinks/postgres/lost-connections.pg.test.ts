/** A connection lost at any statement, before the server gets it or before its answer arrives: the run continues. */

import { expect, it } from 'vitest';
import { ACTIONS } from '../../support/attempt.ts';
import { stage } from '../../support/rounds.ts';

/** Seconds on an idle machine. */
const BUSY_MS = 180_000;

// Each action has its own database.
it.concurrent.each([...ACTIONS, 'remove'] as const)(
  'a %s continues by itself when its connection is lost at any statement',
  async (action) => {
    await using t = await stage(action);
    const plain = await t.attemptCut(await t.prepare(), { at: Infinity, when: 'after', ends: 'connection' });
    expect(plain.statements.filter(isCommit).length, 'transactions').toBeGreaterThan(2);
    for (const [nth, statement] of plain.statements.entries()) {
      if (nth % 3 !== 0 && !isCommit(statement)) continue;
      const round = await t.prepare();
      // A COMMIT whose answer is lost matters most.
      const when = isCommit(statement) || nth % 2 === 0 ? 'after' : 'before';
      const run = await t.attemptCut(round, { at: nth + 1, when, ends: 'connection' });
      expect(run, run.where).toMatchObject({ code: 'ok' });
      expect(await t.rows(), run.where).toEqual(round.after);
      const { told, owed } = await t.counts(round);
      expect(told, run.where).toEqual(owed);
    }
  },
  BUSY_MS,
);

function isCommit(statement: string): boolean {
  return statement === 'COMMIT';
}
