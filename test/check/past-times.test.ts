/** When a schedule should have fired last. */
import { expect, test } from 'vitest';
import { pastTimes } from '../../src/temporal/past-times.ts';

const nightly = (cron: string, timezone = 'UTC') => ({ spec: { kind: 'cron', cron }, timezone }) as const;

test.each([
  ['0 1 * * 1-5', 'UTC', '2026-11-28T12:00Z', '2026-11-27T01:00Z', '2026-11-26T01:00Z'],
  ['0 8,18 * * *', 'UTC', '2026-11-28T20:00Z', '2026-11-28T18:00Z', '2026-11-28T08:00Z'],
  ['0 1 * * *', 'UTC', '2026-11-28T01:00Z', '2026-11-28T01:00Z', '2026-11-27T01:00Z'],
  ['0 1 * * *', 'UTC', '2026-11-28T00:59:59.500Z', '2026-11-27T01:00Z', '2026-11-26T01:00Z'],
  // The clocks go forward from 02:00 to 03:00 in the night of the 28th of March 2027.
  ['30 2 * * *', 'Europe/Brussels', '2027-03-28T12:00Z', '2027-03-27T01:30Z', '2027-03-26T01:30Z'],
  ['0 1 * * *', 'Europe/Brussels', '2027-03-28T12:00Z', '2027-03-28T00:00Z', '2027-03-27T00:00Z'],
])('%s in %s, at %s', (cron, timezone, now, ...told) => {
  const times = pastTimes({ id: 'x', text: cron, ...nightly(cron, timezone) }, new Date(now), 2);
  expect(times).toEqual(told.map((at) => new Date(at)));
});

test('intervals count from 1970 on, as Temporal counts them', () => {
  const every = { id: 'x', text: '', timezone: 'UTC', spec: { kind: 'every', seconds: 60 } } as const;
  expect(pastTimes(every, new Date('2026-11-28T12:00:59Z'), 2)).toEqual([
    new Date('2026-11-28T12:00:00Z'),
    new Date('2026-11-28T11:59:00Z'),
  ]);
});
