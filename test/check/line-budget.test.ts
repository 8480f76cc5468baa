/** Lines a minute: of each who asks alone, and what is left out is told with the next one. */
import { expect, test } from 'vitest';
import { LineBudget } from '../../src/api/line-budget.ts';

test('so many a minute, then none; the first of a later minute tells how many were left out', () => {
  const budget = new LineBudget(3);
  const take = (now: number, id = 'ada') => budget.take(id, now);
  expect([0, 1, 2, 3, 59_999].map((now) => take(now))).toEqual([0, 0, 0, undefined, undefined]);
  expect(take(59_999, 'bob')).toBe(0);
  expect([60_000, 60_001].map((now) => take(now))).toEqual([2, 0]);
  // However long it has been.
  take(60_002);
  take(60_003);
  expect(take(9_999_999)).toBe(1);
  expect(take(99_999_999, 'bob')).toBe(0);
});
