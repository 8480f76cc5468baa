/** Decides when a target's data counts as late. */
import { expect, test } from 'vitest';
import { freshnessOf } from '../../../src/web/overview/freshness.ts';

/** Nightly at 01:00. */
const DAY = {
  previous: ['2026-11-25T01:00:00Z', '2026-11-24T01:00:00Z'],
  next: ['2026-11-26T01:00:00Z'],
  hasFired: true,
  isActive: false,
};

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
  ['Temporal is unavailable', { ...DAY, lastSuccess: null, next: null }, '12:00', undefined],
  ['no firing to come', { ...DAY, lastSuccess: null, next: [] }, '12:00', undefined],
] as const)('freshness of a target: %s', (_, of, time, told) => {
  expect(freshnessOf({ ...of, now: Date.parse(`2026-11-25T${time}:00Z`) })).toBe(told);
});

test.each([
  [
    'on workdays alone, on a Saturday',
    ['2026-11-27T01:00:00Z', '2026-11-26T01:00:00Z'],
    '2026-11-30T01:00:00Z',
    '2026-11-27T01:20:00Z',
    '2026-11-28T12:00:00Z',
  ],
  [
    'at 8 and 18, at night',
    ['2026-11-25T18:00:00Z', '2026-11-25T08:00:00Z'],
    '2026-11-26T08:00:00Z',
    '2026-11-25T18:10:00Z',
    '2026-11-26T04:00:00Z',
  ],
  [
    'nightly, the day before the clocks go forward',
    ['2027-03-27T00:00:00Z', '2027-03-26T00:00:00Z'],
    '2027-03-28T00:00:00Z',
    '2027-03-27T00:20:00Z',
    '2027-03-27T12:00:00Z',
  ],
] as const)('a success since the newest firing is not late: %s', (_, previous, next, lastSuccess, now) => {
  const of = { previous, next: [next], lastSuccess, hasFired: true, isActive: false };
  expect(freshnessOf({ ...of, now: Date.parse(now) })).toBe('fresh');
});
