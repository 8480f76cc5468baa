/** Tests when a schedule was due last, and when it is due next. */
import { expect, test } from 'vitest';
import { firstDue, pastTimes } from '../../src/engine/previous-firings.ts';

const nightly = (cron: string, timezone = 'UTC') => ({ spec: { kind: 'cron', cron }, timezone }) as const;

test.each([
  ['0 1 * * 1-5', 'UTC', '2026-11-28T12:00Z', '2026-11-27T01:00Z', '2026-11-26T01:00Z'],
  ['0 8,18 * * *', 'UTC', '2026-11-28T20:00Z', '2026-11-28T18:00Z', '2026-11-28T08:00Z'],
  ['0 1 * * *', 'UTC', '2026-11-28T01:00Z', '2026-11-28T01:00Z', '2026-11-27T01:00Z'],
  ['0 1 * * *', 'UTC', '2026-11-28T00:59:59.500Z', '2026-11-27T01:00Z', '2026-11-26T01:00Z'],
  // The clocks go forward from 02:00 to 03:00 in the night of the 28th of March 2027.
  ['30 2 * * *', 'Europe/Brussels', '2027-03-28T12:00Z', '2027-03-27T01:30Z', '2027-03-26T01:30Z'],
  ['0 1 * * *', 'Europe/Brussels', '2027-03-28T12:00Z', '2027-03-28T00:00Z', '2027-03-27T00:00Z'],
  // Day of month and day of week must both match.
  ['0 3 1 * 1', 'UTC', '2026-03-11T00:00Z', '2025-12-01T03:00Z', '2025-09-01T03:00Z'],
  ['0 0 1-7 * 1', 'UTC', '2026-03-11T00:00Z', '2026-03-02T00:00Z', '2026-02-02T00:00Z'],
  ['0 2 */2 * 1-5', 'UTC', '2026-03-03T12:00Z', '2026-03-03T02:00Z', '2026-02-27T02:00Z'],
  ['0 2 * * 7', 'UTC', '2026-03-03T12:00Z', '2026-03-01T02:00Z', '2026-02-22T02:00Z'],
  ['0 2 29 2 *', 'UTC', '2026-03-03T12:00Z', '2024-02-29T02:00Z', '2020-02-29T02:00Z'],
  ['0 2 29 2 1', 'UTC', '2026-03-03T12:00Z', '2016-02-29T02:00Z', '1988-02-29T02:00Z'],
  // The clocks go back from 03:00 to 02:00 in the night of the 31st of October 2027.
  ['30 2 * * *', 'Europe/Brussels', '2027-10-31T12:00Z', '2027-10-31T01:30Z', '2027-10-30T00:30Z'],
  // Of several firings an hour Temporal leaves out those between.
  ['0 * * * *', 'Europe/Brussels', '2027-10-31T01:59Z', '2027-10-31T00:00Z', '2027-10-30T23:00Z'],
])('%s in %s, at %s', (cron, timezone, now, ...told) => {
  const times = pastTimes({ id: 'x', text: cron, ...nightly(cron, timezone) }, new Date(now), 2);
  expect(times).toEqual(told.map((at) => new Date(at)));
});

test('counts intervals from 1970 on, as Temporal does', () => {
  const every = { id: 'x', text: '', timezone: 'UTC', spec: { kind: 'every', seconds: 60 } } as const;
  expect(pastTimes(every, new Date('2026-11-28T12:00:59Z'), 2)).toEqual([
    new Date('2026-11-28T12:00:00Z'),
    new Date('2026-11-28T11:59:00Z'),
  ]);
});

test('day of the month and weekday must both match: the next Sunday the 28th is months away', () => {
  const schedule = { id: 'x', text: '', ...nightly('* * 28 * 0') };
  expect(firstDue(schedule, new Date('2026-11-01T12:00:00Z'))).toEqual(new Date('2027-02-28T00:00:00Z'));
  // The 28th is a Saturday, the 29th a Sunday.
  expect(firstDue(schedule, new Date('2026-11-29T15:00:00Z'))).toEqual(new Date('2027-02-28T00:00:00Z'));
});
