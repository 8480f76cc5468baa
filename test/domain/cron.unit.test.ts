/** Valid cron expressions and their matching times; test/temporal/schedule-rules.pg.test.ts asks Temporal the same. */
import { expect, test } from 'vitest';
import { needsBothDays, parseCron } from '../../src/domain/cron.ts';
import { ACCEPTED_CRONS, REFUSED_CRONS } from '../support/crons.ts';

function fitting(text: string) {
  const cron = parseCron(text);
  if ('error' in cron) throw new Error(cron.error);
  const { minute, hour, dayOfMonth, month, dayOfWeek } = cron;
  return [minute, hour, dayOfMonth, month, dayOfWeek].map((values) =>
    [...values].toSorted((a, b) => a - b).join(' '),
  );
}
const ALL_DAYS = Array.from({ length: 31 }, (_, i) => i + 1).join(' ');

test('names, ranges, steps, lists, and 7 as Sunday are understood', () => {
  expect(fitting('*/15 6-22/4 1,31 * MON-FRI')).toEqual([
    '0 15 30 45',
    '6 10 14 18 22',
    '1 31',
    '1 2 3 4 5 6 7 8 9 10 11 12',
    '1 2 3 4 5',
  ]);
  expect(fitting('50/3 2 * JAN-MAR 5-7')).toEqual(['50 53 56 59', '2', ALL_DAYS, '1 2 3', '0 5 6']);
  const weekdays = (text: string) => fitting(`0 0 * * ${text}`)[4];
  expect(['7', '0-7', '*/7', '1-7/2', 'sun,Sat', '3/2', 'Thurs'].map(weekdays)).toEqual([
    '0',
    '0 1 2 3 4 5 6',
    '0',
    '0 1 3 5',
    '0 6',
    '0 3 5',
    '4',
  ]);
});

test.each(ACCEPTED_CRONS)('%s is accepted', (text) => {
  expect(parseCron(text)).not.toHaveProperty('error');
});

test.each(REFUSED_CRONS)('%s is refused', (text) => {
  expect(parseCron(text)).toEqual({ error: expect.stringContaining(`'${text}'`) });
});

test('the refusal names the field and its allowed values', () => {
  expect(parseCron('0 2 15W * 9')).toEqual({
    error:
      "'0 2 15W * 9': the day of the month '15W' cannot be read; it may be numbers from 1 to 31, ranges (1-5), steps " +
      '(*/2), lists of these (1,3), or *',
  });
  expect(parseCron('0 2 * * FRI-SUN')).toEqual({
    error: expect.stringMatching(
      /the day of the week 'FRI-SUN' ends before it begins; .* from 0 to 7, names such as MO,/,
    ),
  });
});

test('day of month and day of week must both match if both are restricted', () => {
  expect(['0 3 1 * 1', '0 0 1-7 * 1', '0 2 */2 * 1-5'].map(needsBothDays)).toEqual([true, true, true]);
  expect(['0 3 1 * *', '0 0 * * 1', '* * 1-31 * 1', '0 0 1 * 0-6', 'every 60s'].map(needsBothDays)).toEqual(
    Array.from({ length: 5 }, () => false),
  );
});
