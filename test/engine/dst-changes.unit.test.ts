/** Tests clock-change firings against a fixed list; test/engine/dst-changes.pg.test.ts asks Temporal. */
import { expect, test } from 'vitest';
import { clockChanges } from '../../src/engine/dst-changes.ts';

const told = (cron: string, timezone: string, now: string, coming: string[]) =>
  clockChanges(
    { cron, timezone },
    new Date(now),
    coming.map((at) => new Date(at)),
  ).map(({ localTime, kind, fires }) => [localTime, kind, ...fires.map((at) => at.toISOString())]);

test('reports nothing where no clock changes, or not at the times of the schedule', () => {
  expect(told('30 2 * * *', 'UTC', '2027-03-27T12:00Z', ['2027-03-28T02:30Z', '2027-03-29T02:30Z'])).toEqual(
    [],
  );
  expect(told('30 2 * * *', 'Europe/Brussels', '2027-06-01T12:00Z', ['2027-06-02T00:30Z'])).toEqual([]);
  expect(
    told('30 4 * * *', 'Europe/Brussels', '2027-03-27T12:00Z', ['2027-03-28T02:30Z', '2027-03-29T02:30Z']),
  ).toEqual([]);
});

test('reports a time in the gap, before the first firing and between two', () => {
  const gap = [['2027-03-28T02:30', 'gap']];
  expect(told('30 2 * * *', 'Europe/Brussels', '2027-03-27T12:00Z', ['2027-03-29T00:30Z'])).toEqual(gap);
  expect(
    told('30 2 * * *', 'Europe/Brussels', '2027-03-26T12:00Z', ['2027-03-27T01:30Z', '2027-03-29T00:30Z']),
  ).toEqual(gap);
});

test('reports a time in the overlap with each of its firings, also west of Greenwich', () => {
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
