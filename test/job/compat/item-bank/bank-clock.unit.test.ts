/** GitLab's clock over a run. */
import { expect, test } from 'vitest';
import { readAt } from '../../../../src/job/compat/item-bank/bank-clock.ts';
import { type ClockReader, createClockReader } from '../../../../src/job/sources/source-clock.ts';

const NOW = new Date('2026-11-29T12:00:00Z');
const MINUTE_MS = 60_000;

function clockOf(...answers: readonly { minutes?: number; age?: string; date?: string }[]): ClockReader {
  const clock = createClockReader(() => NOW.getTime());
  for (const { minutes, age, date } of answers) {
    const headers = new Headers(age === undefined ? {} : { age });
    if (minutes !== undefined)
      headers.set('date', new Date(NOW.getTime() + minutes * MINUTE_MS).toUTCString());
    if (date !== undefined) headers.set('date', date);
    clock.hear((name) => headers.get(name));
  }
  return clock;
}
const readBy = (clock: ClockReader): string => readAt({ clock: () => clock.read() }, NOW).toISOString();
const at = (minutes: number): string => new Date(NOW.getTime() + minutes * MINUTE_MS).toISOString();

test.each([
  ['the earliest answer counts', [{ minutes: 0 }, { minutes: -7 }, { minutes: -3 }], -7],
  ['never later than ours', [{ minutes: 60 }, { minutes: 61 }], 0],
  ['an answer of a cache is as old as it says', [{ minutes: 0, age: '900' }], -15],
  [
    'an absurd Age is ignored',
    [
      { minutes: -1, age: '-900' },
      { minutes: -1, age: '1e3' },
      { minutes: -1, age: '' },
    ],
    -1,
  ],
  ['without Date our clock counts', [{}], 0],
  ['with an invalid Date our clock counts', [{ date: 'yesterday' }], 0],
  ['an answer without Date does not affect the others', [{ minutes: -4 }, {}], -4],
])('the time of reading: %s', (_, answers, minutes) => {
  expect(readBy(clockOf(...answers))).toBe(at(minutes));
});
