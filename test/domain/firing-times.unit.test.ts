/** The basis of firing times; test/temporal/schedule-rules.pg.test.ts asks Temporal for the times themselves. */
import { expect, test } from 'vitest';
import { offsets } from '../../src/domain/firing-times.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** Independent of the code under test. */
function offsetsByDate(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return (at) => Date.parse(`${format.format(at).replace(' ', 'T')}Z`) - at;
}

test('the offset of every zone is right before and at each future clock change', () => {
  let changes = 0;
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const [ours, theirs] = [offsets(zone), offsetsByDate(zone)];
    for (let day = Date.UTC(2026, 0, 1); day < Date.UTC(2028, 0, 1); day += 14 * DAY) {
      let [before, after] = [day, day + 14 * DAY];
      if (theirs(before) === theirs(after)) continue;
      while (after - before > MINUTE) {
        const middle = before + Math.floor((after - before) / MINUTE / 2) * MINUTE;
        if (theirs(middle) === theirs(before)) before = middle;
        else after = middle;
      }
      changes += 1;
      for (const at of [before, after, after + MINUTE]) expect(ours(new Date(at)), zone).toBe(theirs(at));
    }
  }
  expect(changes).toBeGreaterThan(400);
});
