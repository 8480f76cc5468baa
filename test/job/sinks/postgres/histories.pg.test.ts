/**
 * A rollback to before any job restores the table of that time, whatever has happened since; and no record leaves without
 * an answer.
 */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDatabase } from '../../../support/database.ts';
import { BESIDE_RECORD, type Form, IN_RECORD, WITHOUT_RECORD } from '../../support/live-rows.ts';
import { playHistory } from '../../support/history.ts';
import { type Chapter, histories } from '../../support/history-chapters.ts';

const JOBS = 20;

const FORMS: Readonly<Record<string, { form: Form; runs: number }>> = {
  'in the column record': { form: IN_RECORD, runs: 8 },
  'in columns beside the record': { form: BESIDE_RECORD, runs: 4 },
  'in columns instead of the record': { form: WITHOUT_RECORD, runs: 4 },
};

const seen = { held: 0, approved: 0, limited: 0, exact: 0 };

it.each(Object.entries(FORMS))(
  'rollbacks restore the data byte for byte, %s, after kills, rollbacks, purges, items, approvals and foreign writes (P7), and nothing goes without an answer',
  { timeout: 180_000 },
  async (_, { form, runs }) => {
    await fc.assert(
      fc.asyncProperty(histories(JOBS), async (chapters) => {
        await using database = await createDatabase({ migrated: false });
        const { violations, counts } = await playHistory(
          database.url,
          chapters.map(form.columns?.keepsRecord === false ? withoutItems : (same) => same),
          form,
        );
        // Rollbacks without later foreign writes.
        seen.exact += counts.exact;
        seen.held += counts.held;
        seen.approved += counts.approved;
        seen.limited += counts.limited;
        expect(violations).toEqual([]);
      }),
      { numRuns: runs, endOnFailure: true },
    );
  },
);

it('the histories hold removals, approve some, roll some records back, and go back exactly', () => {
  // On average a dozen of each; random ones are not bound to have more than one.
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(0);
});

/** Items need the column record. */
function withoutItems(chapter: Chapter): Chapter {
  if (chapter.act.kind !== 'items') return chapter;
  return { ...chapter, act: { kind: 'job', action: 'sync', force: false, killed: null, again: false } };
}
