/** What is told of a change of the clocks, from firings written out here; test/run/clock-changes.test.ts asks Temporal. */
import { expect, test } from 'vitest';
import { clockChanges } from '../../src/temporal/clock-changes.ts';

const told = (cron: string, timezone: string, now: string, coming: string[]) =>
  clockChanges(
    { cron, timezone },
    new Date(now),
    coming.map((at) => new Date(at)),
  ).map(({ localTime, kind, fires }) => [localTime, kind, ...fires.map((at) => at.toISOString())]);

test('nothing is told where the clocks do not change, or not at its times', () => {
  expect(told('30 2 * * *', 'UTC', '2027-03-27T12:00Z', ['2027-03-28T02:30Z', '2027-03-29T02:30Z'])).toEqual(
    [],
  );
  expect(told('30 2 * * *', 'Europe/Brussels', '2027-06-01T12:00Z', ['2027-06-02T00:30Z'])).toEqual([]);
  expect(
    told('30 4 * * *', 'Europe/Brussels', '2027-03-27T12:00Z', ['2027-03-28T02:30Z', '2027-03-29T02:30Z']),
  ).toEqual([]);
});

test('a time in the gap is told, before the first firing and between two', () => {
  const gap = [['2027-03-28T02:30', 'gap']];
  expect(told('30 2 * * *', 'Europe/Brussels', '2027-03-27T12:00Z', ['2027-03-29T00:30Z'])).toEqual(gap);
  expect(
    told('30 2 * * *', 'Europe/Brussels', '2027-03-26T12:00Z', ['2027-03-27T01:30Z', '2027-03-29T00:30Z']),
  ).toEqual(gap);
});

test('a time in the overlap is told, with each of its firings, also west of Greenwich', () => {
  const [first, second] = ['2027-10-31T00:30:00.000Z', '2027-10-31T01:30:00.000Z'];
  for (const fires of [[second], [first, second]])
    expect(
      told('30 2 * * *', 'Europe/Brussels', '2027-10-30T12:00Z', [...fires, '2027-11-01T01:30Z']),
    ).toEqual([['2027-10-31T02:30', 'overlap', ...fires]]);
  expect(
    told('30 1 * * *', 'America/New_York', '2027-11-06T12:00Z', [
      '2027-11-07T06:30:00.000Z',
      '2027-11-08T06:30Z',
    ]),
  ).toEqual([['2027-11-07T01:30', 'overlap', '2027-11-07T06:30:00.000Z']]);
});
