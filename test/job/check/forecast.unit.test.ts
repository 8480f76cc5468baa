/** What a sync would do, by the numbers of records. */
import { expect, test } from 'vitest';
import { forecastOf } from '../../../src/job/check/forecast.ts';
import type { SinkLook } from '../../../src/job/sinks/sink.ts';

const LIMITS = { maxDeletePercent: 10, maxDeleteRecords: 5, force: false };
const sink = (of: Partial<SinkLook>): SinkLook => ({
  exists: true,
  live: 0,
  kept: 0,
  synced: true,
  warnings: [],
  ...of,
});

test.each<[string, number | null, SinkLook, boolean, string]>([
  [
    'a missing table',
    12,
    sink({ exists: false, synced: false }),
    false,
    'the first sync creates it, and adds up to 12 records',
  ],
  ['an empty table', 1, sink({ synced: false }), false, 'the first sync adds up to 1 record'],
  ['an emptied table', 7, sink({}), false, 'a sync adds up to 7 records'],
  [
    'a table that others filled',
    5,
    sink({ live: 90, kept: 90, synced: false }),
    false,
    'removes none: those that the source lacks stay',
  ],
  [
    'a growing source',
    110,
    sink({ live: 100 }),
    false,
    'adds at least 10 records, and removes at least 0 records',
  ],
  [
    'a source that lost a few',
    95,
    sink({ live: 100 }),
    false,
    'removes at least 5 records, which the delete guard allows',
  ],
  [
    'a source that lost many',
    80,
    sink({ live: 100 }),
    true,
    '20 of 100 records would be deleted, more than the 10 allowed',
  ],
  [
    'a source that lost many, for a sink that can hold removals',
    80,
    sink({ live: 100, held: 0 }),
    false,
    'would hold at least 20 removals, which then wait for an answer: 20 of 100 records would be deleted',
  ],
  [
    'a source that lost a few, while others are held',
    92,
    sink({ live: 100, held: 7 }),
    false,
    'removes at least 1 record, which the delete guard allows; 7 removals wait for an answer already',
  ],
  [
    'an empty source, for a sink that can hold removals',
    0,
    sink({ live: 3, held: 0 }),
    true,
    'refuses it: the source is empty',
  ],
  ['losses among records that stay', 80, sink({ live: 100, kept: 15 }), false, 'removes at least 5 records'],
  [
    'an empty source',
    0,
    sink({ exists: false, synced: false }),
    true,
    'refuses it: the source is empty; find out why it lists nothing',
  ],
  [
    'a source that does not tell',
    null,
    sink({ live: 3 }),
    false,
    'finds 3 records in the sink; how many it adds and removes is unknown',
  ],
])('%s', (_, total, of, refused, words) => {
  const forecast = forecastOf(total, of, LIMITS);
  expect(forecast.refused).toBe(refused);
  expect(forecast.text).toContain(words);
});

test('--force-delete lifts the limits, and removes also the records that would stay', () => {
  const { refused, text } = forecastOf(80, sink({ live: 100, kept: 15 }), { ...LIMITS, force: true });
  expect([refused, text]).toEqual([false, expect.stringContaining('removes at least 20 records')]);
});
