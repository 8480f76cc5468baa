/** All lies of delivered files. */

import type { DropPlace } from './drop-place.ts';
import { AFTERWARDS, MEANWHILE, PATTERNS, WEB } from './lies-around-drops.ts';
import { FORMS, HEADERS, ROWS } from './lies-in-drops.ts';
import { CUTS, TOTALS } from './lies-of-cut-drops.ts';
import { type DropLie, lie, oldPair } from './drop-words.ts';
import { READ } from './lie.ts';
import { type RowLie, TOLD_ROWS } from './row-lie.ts';

/** Told as CSV: their rows are the same in every other form. */
const OF_LISTINGS: readonly DropLie[] = (TOLD_ROWS as readonly RowLie<DropPlace>[]).map((told) => ({
  ...told,
  of: ['csv'],
}));

export const OF_DROPS: readonly DropLie[] = [
  ...OF_LISTINGS,
  lie('some records are gone', ['json', 'parquet', 'csv.gz', 'pattern', 'web'], READ, null, {
    rows: (story) => story.next.filter((row) => !oldPair(story).includes(row)),
  }),
  lie('half of the records are gone', ['json', 'parquet', 'csv.gz', 'pattern', 'web'], READ, null, {
    rows: ({ next }) => next.filter((_, at) => at % 2 === 0),
  }),
  lie('no record', ['json', 'csv.gz', 'pattern', 'web'], READ, null, { rows: () => [] }),
  ...TOTALS,
  ...CUTS,
  ...ROWS,
  ...HEADERS,
  ...FORMS,
  ...PATTERNS,
  ...MEANWHILE,
  ...AFTERWARDS,
  ...WEB,
];
