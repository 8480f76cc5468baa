/** A rollback to before any job restores the table of that time, whatever has happened since. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDatabase } from '../../../support/database.ts';
import { playHistory } from '../../support/history.ts';
import { histories } from '../../support/history-chapters.ts';

const JOBS = 20;

it('rollbacks restore the data byte for byte after kills, rollbacks, purges, items and foreign writes (P7)', async () => {
  let exact = 0;
  await fc.assert(
    fc.asyncProperty(histories(JOBS), async (chapters) => {
      await using database = await createDatabase({ migrated: false });
      const { violations, counts } = await playHistory(database.url, chapters);
      exact += counts.exact;
      expect(violations).toEqual([]);
    }),
    { numRuns: 8, endOnFailure: true },
  );
  expect(exact, 'rollbacks without later foreign writes').toBeGreaterThan(5);
}, 180_000);
