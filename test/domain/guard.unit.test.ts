/** The guards, at their thresholds and in general. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALWAYS_ALLOWED, deleteVerdict, updateVerdict } from '../../src/domain/guard.ts';

type Input = Parameters<typeof deleteVerdict>[0];
const input = (over: Partial<Input>): Input => ({
  live: 1000,
  source: 1000,
  removals: 0,
  maxDeletePercent: 10,
  maxDeleteRecords: ALWAYS_ALLOWED,
  force: false,
  ...over,
});

test.each<[string, Partial<Input>, boolean]>([
  ['nothing to remove', {}, true],
  ['exactly the limit', { removals: 100 }, true],
  ['one above the limit', { removals: 101 }, false],
  ['everything', { removals: 1000 }, false],
  ['everything, forced', { removals: 1000, force: true }, true],
  ['an empty source', { source: 0, removals: 1000 }, false],
  ['an empty source, forced', { source: 0, removals: 1000, force: true }, false],
  ['an empty source and nothing to remove', { source: 0, live: 0 }, false],
  ['a few of a small target', { live: 6, removals: 5 }, true],
  ['all of a tiny target', { live: 5, removals: 5 }, true],
  ['more than a few of a small target', { live: 6, removals: 6 }, false],
  ['0 percent means none', { maxDeletePercent: 0, removals: 1 }, false],
  [
    '0 percent means none, whatever the records',
    { maxDeletePercent: 0, maxDeleteRecords: 9, removals: 1 },
    false,
  ],
  ['0 percent and nothing to remove', { maxDeletePercent: 0 }, true],
  ['0 percent, forced', { maxDeletePercent: 0, removals: 1, force: true }, true],
  ['no records below the percentage', { live: 9, removals: 1, maxDeleteRecords: 0 }, false],
  ['no records, within the percentage', { live: 10, removals: 1, maxDeleteRecords: 0 }, true],
  ['as many records as allowed', { live: 30, removals: 20, maxDeleteRecords: 20 }, true],
  ['one more than allowed', { live: 30, removals: 21, maxDeleteRecords: 20 }, false],
  ['100 percent', { maxDeletePercent: 100, removals: 1000 }, true],
  ['a fraction is rounded down', { live: 109, removals: 11 }, false],
])('%s', (_, over, allowed) => {
  expect(deleteVerdict(input(over)).allowed).toBe(allowed);
});

test('the refusal shows the numbers', () => {
  expect(deleteVerdict(input({ removals: 250 }))).toEqual({
    allowed: false,
    mayWait: true,
    why: expect.stringMatching(/250 of 1000 .* 100 allowed \(MAX_DELETE_PERCENT 10, MAX_DELETE_RECORDS 5\)/),
  });
  expect(deleteVerdict(input({ removals: 1, maxDeletePercent: 0 }))).toEqual({
    allowed: false,
    mayWait: true,
    why: expect.stringMatching(/1 of 1000 .* 0 allowed \(MAX_DELETE_PERCENT 0 allows none\)/),
  });
});

test('no answer of a person lifts the refusal of an empty source', () => {
  for (const force of [false, true])
    expect(deleteVerdict(input({ source: 0, removals: 1, force }))).toMatchObject({ mayWait: false });
});

test('a guard never allows more than the share or the number, and never an empty source', () => {
  const inputs = fc
    .record({
      live: fc.nat(1_000_000),
      source: fc.nat(1_000_000),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      maxDeletePercent: fc.nat(100),
      maxDeleteRecords: fc.nat(1_000),
      force: fc.boolean(),
    })
    .map(({ share, ...rest }) => ({ ...rest, removals: Math.round(rest.live * share) }));
  fc.assert(
    fc.property(inputs, (given) => {
      const { allowed } = deleteVerdict(given);
      if (given.source === 0) expect(allowed).toBe(false);
      else if (given.force || given.removals === 0) expect(allowed).toBe(true);
      else if (given.maxDeletePercent === 0) expect(allowed).toBe(false);
      else if (given.removals <= given.maxDeleteRecords) expect(allowed).toBe(true);
      else expect(allowed).toBe(given.removals * 100 <= given.live * given.maxDeletePercent);
    }),
    { numRuns: 1_000 },
  );
});

test.each<[string, number | null, number, boolean]>([
  ['none', null, 1000, true],
  ['exactly', 20, 200, true],
  ['one above', 20, 201, false],
  ['all', 100, 1000, true],
  ['nothing to change', 1, 0, true],
])('an update guard of %s', (_, maxUpdatePercent, updates, allowed) => {
  const verdict = updateVerdict({ live: 1000, updates, maxUpdatePercent });
  expect(verdict.allowed).toBe(allowed);
  if (!verdict.allowed)
    expect(verdict.why).toBe(
      '201 of 1000 records would change, more than the 200 allowed (MAX_UPDATE_PERCENT 20)',
    );
});
