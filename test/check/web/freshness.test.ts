/** When data counts as late. */
import { expect, test } from 'vitest';
import { freshnessOf } from '../../../src/web/overview/freshness.ts';

/** Nightly at 01:00. */
const NEXT = ['2026-11-26T01:00:00Z', '2026-11-27T01:00:00Z'];
const DAY = { next: NEXT, hasFired: true, isActive: false };

test.each([
  ['a success since the newest firing', { ...DAY, lastSuccess: '2026-11-25T01:20:00Z' }, '12:00', 'fresh'],
  ['just fired, not yet done', { ...DAY, lastSuccess: '2026-11-24T01:20:00Z' }, '01:30', 'due'],
  ['fired long ago, not done', { ...DAY, lastSuccess: '2026-11-24T01:20:00Z' }, '12:00', 'late'],
  [
    'fired long ago, still runs',
    { ...DAY, lastSuccess: '2026-11-24T01:20:00Z', isActive: true },
    '12:00',
    'due',
  ],
  ['a whole night without success', { ...DAY, lastSuccess: '2026-11-23T01:20:00Z' }, '01:10', 'late'],
  ['never succeeded, has fired', { ...DAY, lastSuccess: null }, '12:00', 'late'],
  ['never succeeded, is new', { ...DAY, lastSuccess: null, hasFired: false }, '12:00', undefined],
  ['Temporal is away', { ...DAY, lastSuccess: null, next: null }, '12:00', undefined],
  ['no firing to come', { ...DAY, lastSuccess: null, next: [] }, '12:00', undefined],
] as const)('%s', (_, of, time, told) => {
  expect(freshnessOf({ ...of, now: Date.parse(`2026-11-25T${time}:00Z`) })).toBe(told);
});
