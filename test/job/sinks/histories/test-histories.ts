/** The rule of removals over random histories of jobs, lies, answers and kills, in a sink with generations. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SearchServer } from '../../../faults/sink-kill/search-place.ts';
import { histories } from './chapters.ts';
import { Counts } from './counts.ts';
import { playHistory } from './player.ts';

const JOBS = 16;
/** Always the same ones, which cover every kind; then random ones. More of them: `npm run faults -- sink-kill`. */
const PINNED = { seed: 62, numRuns: 3 };
const RANDOM = 1;

export function testHistories(name: string, start: () => Promise<SearchServer>): void {
  let server: SearchServer;
  beforeAll(async () => {
    server = await start();
  }, 660_000); // the first run gets the server from Maven Central
  afterAll(() => server?.[Symbol.asyncDispose]());
  const seen = new Counts();

  describe(`over random histories of jobs, lies, answers and kills, in ${name}`, () => {
    it('no record leaves without a complete listing and an answer, and what has left comes back', {
      timeout: 600_000,
    }, async () => {
      const pinned = fc.sample(histories(JOBS), PINNED);
      await fc.assert(
        fc.asyncProperty(histories(JOBS), async (history) => {
          await using place = await server.place();
          const { violations, counts } = await playHistory(place, history);
          seen.add(counts);
          expect(violations).toEqual([]);
        }),
        { examples: pinned.map((history) => [history]), numRuns: pinned.length + RANDOM, endOnFailure: true },
      );
    });

    it('the histories hold, remove, force, approve, go back, restore, forget and are killed', () => {
      for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(0);
    });
  });
}
