/** The filter in an address: whatever is in it, what is asked is well-formed. */
import { expect, test } from 'vitest';
import { readFilter, toFilter } from '../../../src/web/jobs/filter-search.ts';

test('what is ours is read, the rest is left out', () => {
  const search = {
    status: 'failed,quota',
    target: 'avo',
    active: true,
    since: '2026-11-25T10:00',
    until: 'later',
    x: 1,
  };
  expect(readFilter(search)).toEqual({
    status: 'failed,quota',
    target: 'avo',
    active: true,
    since: '2026-11-25T10:00',
  });
  expect(readFilter({ status: '<b>', operation: 7, env: '', active: 'yes' })).toEqual({ operation: '7' });
});

test('it is asked as the api wants it', () => {
  const since = new Date('2026-11-25T10:00').toISOString();
  expect(toFilter({ status: 'failed,quota', active: true, since: '2026-11-25T10:00' })).toEqual({
    status: ['failed', 'quota'],
    ignoreCompleted: true,
    since,
    limit: 100,
  });
});
