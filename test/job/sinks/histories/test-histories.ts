/** The rule of removals over random histories of jobs, lies, answers and kills, in a sink with generations. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SearchServer } from '../../../faults/sink-kill/search-place.ts';
import { histories } from './chapters.ts';
import { Counts } from './counts.ts';
import { playHistory } from './player.ts';

const JOBS = 16;

/** @param runs how many histories; `HISTORIES=100` plays that many, `SEED` repeats a run */
export function testHistories(name: string, of: { start: () => Promise<SearchServer>; runs: number }): void {
  let server: SearchServer;
  beforeAll(async () => {
    server = await of.start();
  }, 660_000); // the first run gets the server from Maven Central
  afterAll(() => server?.[Symbol.asyncDispose]());
  const seen = new Counts();
  const numRuns = Number(process.env['HISTORIES'] ?? of.runs);
  const seed = process.env['SEED'];

  describe(`over random histories of jobs, lies, answers and kills, in ${name}`, () => {
    it('no record leaves without a complete listing and an answer, and what left comes back', {
      timeout: 30_000 + numRuns * 60_000,
    }, async () => {
      await fc.assert(
        fc.asyncProperty(histories(JOBS), async (history) => {
          await using place = await server.place();
          const { violations, counts } = await playHistory(place, history);
          seen.add(counts);
          expect(violations).toEqual([]);
        }),
        { numRuns, endOnFailure: true, ...(seed !== undefined && { seed: Number(seed) }) },
      );
    });

    it('the histories hold, remove, force, approve, go back, restore, forget and are killed', () => {
      console.log(JSON.stringify(seen));
      for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(2);
    });
  });
}
