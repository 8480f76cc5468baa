/**
 * Lies to the sync program, as every kind of source that can, before every action; then compares the live data with
 * the expected ones.
 */

import { type BankCase, runBankCase } from '../lying-source/bank-case.ts';
import { BANK_LIES } from '../lying-source/bank-lies.ts';
import { ACTIONS, type LieCase, runCase, type Stage } from '../lying-source/case.ts';
import type { Lie, SourceKind } from '../lying-source/lie.ts';
import { OF_FILES } from '../lying-source/lies-of-files.ts';
import { LISTINGS } from '../lying-source/lies-of-listings.ts';
import { RECORDS } from '../lying-source/lies-of-records.ts';
import { ANSWERS } from '../lying-source/lies-of-answers.ts';
import { PAGES } from '../lying-source/lies-of-pages.ts';
import { openTheatre } from '../lying-source/stage.ts';
import type { Program } from '../program.ts';
import { createRandom } from '../random.ts';

/** Most of a case is waiting: for a server, a database, the end of a time-out. */
const LANES = 3;

export const lyingSource: Program = {
  name: 'lying-source',
  summary:
    'a source that lies in every way that we know, before every action: no lie is believed, no record is lost',
  async run({ seed, scale, say }) {
    const random = createRandom(seed);
    const all = allCases(random.integer(0, 2 ** 31));
    // Evenly: each kind of lie comes as often as any other.
    const offset = random.number();
    const cases = all.filter(
      (_, at) => Math.floor((at + 1) * scale + offset) > Math.floor(at * scale + offset),
    );
    const violations: string[] = [];
    const verdicts: Record<string, number> = {};
    let n = 0;
    const theatre = await openTheatre(say);
    try {
      const left = cases.entries();
      const lane = async (): Promise<void> => {
        const stage = await theatre.lane();
        for (const [at, given] of left) {
          const result = await play(given, { ...stage, table: `lies_${at}` });
          for (const verdict of result.verdicts) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
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
    const lies = new Set(cases.map(({ lie }) => lie.name)).size;
    return { n, expected: cases.length, violations, lies, verdicts };
  },
};

type Case = LieCase | BankCase;

async function play(given: Case, stage: Stage): Promise<{ violations: string[]; verdicts: string[] }> {
  if ('source' in given) return await runCase(given, stage);
  return { violations: await runBankCase(given, stage), verdicts: ['of the bank'] };
}

function allCases(seed: number): Case[] {
  const lies: Lie[] = [...RECORDS, ...LISTINGS, ...ANSWERS, ...PAGES, ...OF_FILES];
  const ofLines = lies
    .flatMap((lie) => sourcesOf(lie).map((source) => ({ lie, source })))
    .flatMap(({ lie, source }) =>
      ACTIONS.flatMap((action) => priorsOf(lie, action).map((proven) => ({ lie, source, action, proven }))),
    );
  const ofBank = BANK_LIES.flatMap((lie) => ACTIONS.map((action) => ({ lie, action })));
  return [...ofLines, ...ofBank].map((given, at) => ({ ...given, seed: (seed + at) % 2 ** 31 }));
}

function sourcesOf({ only }: Lie): readonly SourceKind[] {
  return only === undefined ? ['http', 'file'] : [only];
}

/** Earlier evidence matters only to a listing without its own. */
function priorsOf({ fate }: Lie, action: LieCase['action']): readonly boolean[] {
  const modes = action === 'sync' ? (['everything'] as const) : action === 'delta' ? [] : (['ids'] as const);
  return modes.some((mode) => fate(mode).kind === 'unproven') ? [true, false] : [true];
}

function nameOf(given: Case): string {
  const { lie, action, seed } = given;
  const source = 'source' in given ? given.source : 'gitlab';
  const before = 'source' in given && !given.proven ? ', unproven before' : '';
  return `${lie.name} (${source}, ${action}${before}, seed ${seed})`;
}
