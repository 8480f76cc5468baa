/** Limits log lines per caller: some at once, then one per interval; the next line counts the omitted ones. */
import { expect, test } from 'vitest';
import { LineBudget } from '../../../src/api/auth/rate-limit.ts';

test('a burst passes, then one line per interval, which counts the lines omitted before it', () => {
  const budget = new LineBudget({ most: 3, everyMs: 1_000 });
  const take = (now: number, id = 'ada') => budget.take(id, now);
  expect([0, 1, 2, 3, 999].map((now) => take(now))).toEqual([0, 0, 0, undefined, undefined]);
  expect(take(999, 'bob')).toBe(0);
  expect([1_000, 1_001, 1_999].map((now) => take(now))).toEqual([2, undefined, undefined]);
  expect([2_000, 2_001].map((now) => take(now))).toEqual([2, undefined]);
  // However long the pause, the burst never grows.
  expect([900_000, 900_000, 900_000, 900_000].map((now) => take(now))).toEqual([1, 0, 0, undefined]);
  // Other callers come and go: the count of omitted lines stays.
  for (let other = 0; other < 100; other++) take(950_000, `other ${other}`);
  expect(take(990_000)).toBe(1);
});

test('an endless stream of events yields one line per interval', () => {
  const budget = new LineBudget({ most: 60, everyMs: 60_000 });
  let lines = 0;
  let leftOut = 0;
  for (let now = 0; now < 3_600_000; now += 100) {
    const before = budget.take('ada', now);
    if (before === undefined) continue;
    lines += 1;
    leftOut += before;
  }
  expect(lines).toBe(60 + 59);
  expect(leftOut).toBeGreaterThan(35_000);
});
