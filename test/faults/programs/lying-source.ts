/**
 * Lies to the sync program, as every kind of source that can, before every action; then compares the live data with
 * the expected ones.
 */

import { allCases, nameOf } from '../lying-source/cases.ts';
import { openTheatre } from '../lying-source/stage.ts';
import type { Program } from '../program.ts';
import { createRandom } from '../random.ts';

/** Most of a case is waiting: for a server, a database, the end of a time-out. */
const LANES = 3;

export const lyingSource: Program = {
  name: 'lying-source',
  summary:
    'a source that lies in every way that we know, before every action: no lie is believed, no record is lost',
  async run({ seed, scale, only, say }) {
    const random = createRandom(seed);
    const all = allCases(random.integer(0, 2 ** 31)).filter(
      (given) => only === undefined || new RegExp(only).test(nameOf(given)),
    );
    // Evenly: each kind of lie comes as often as any other.
    const offset = random.number();
    const cases = all.filter(
      (_, at) => Math.floor((at + 1) * scale + offset) > Math.floor(at * scale + offset),
    );
    const violations: string[] = [];
    const verdicts: Record<string, number> = {};
    const bySource: Record<string, number> = {};
    let n = 0;
    const theatre = await openTheatre(say);
    try {
      const left = cases.entries();
      const lane = async (): Promise<void> => {
        const stage = await theatre.lane();
        for (const [at, given] of left) {
          const result = await given.play(stage, `lies_${at}`);
          for (const verdict of result.verdicts) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
          bySource[given.source] = (bySource[given.source] ?? 0) + 1;
          for (const words of result.violations) {
            violations.push(`${nameOf(given)}: ${words}`);
            say(`VIOLATION ${nameOf(given)}: ${words}`);
          }
          n += 1;
          if (n % 50 === 0) say(`${n} of ${cases.length} cases, ${violations.length} violations`);
        }
        await stage.close();
      };
      await Promise.all(Array.from({ length: LANES }, lane));
    } finally {
      await theatre.close();
    }
    const lies = new Set(cases.map(({ lie }) => lie)).size;
    return { n, expected: cases.length, violations, lies, verdicts, of_sources: bySource };
  },
};
