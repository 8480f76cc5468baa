/** Losses in words, the same for terminal and page. */
import { expect, test } from 'vitest';
import { contentOf, dayOf, heldWords, percentWords, removalWords } from '../../src/client/loss-format.ts';
import type { LossJson } from '../../src/client/types.ts';

test.each([
  [1_204, 14_700, '8.2 %'],
  [3, 171_075, '< 0.1 %'],
  [90, 171_075, '0.1 %'],
  [5, 5, '100 %'],
  [0, 0, '0 %'],
])('%i of %i records are %s', (count, live, words) => {
  expect(percentWords(count, live)).toBe(words);
});

test('held removals and what an approval removes are told in the singular, too', () => {
  expect([heldWords(1), heldWords(1_204), heldWords(0), heldWords(null)]).toEqual([
    '1 removal waits for an answer',
    '1,204 removals wait for an answer',
    null,
    null,
  ]);
  const loss = { target: 'cities', env: 'dev', count: 1_200, pinned: 4 } as LossJson;
  expect(removalWords(loss)).toBe('1,200 records will be removed from cities in dev; 4 stay');
  expect(removalWords({ ...loss, count: 1, pinned: 0 })).toBe('1 record will be removed from cities in dev');
  expect(removalWords({ ...loss, pinned: 1 })).toContain('; 1 stays');
});

test('a day names its year unless it is this one', () => {
  const now = new Date('2026-12-20T12:00:00Z');
  expect(dayOf('2026-12-30T12:00:00Z', now)).toBe('30 December');
  expect(dayOf('2027-01-03T12:00:00Z', now)).toBe('3 January 2027');
});

test('a record without content does not claim to be large: it may have been forgotten', () => {
  expect(contentOf({ record: { a: 1 } })).toBe('{"a":1}');
  expect(contentOf({ record: null })).toContain('or forgotten');
});
