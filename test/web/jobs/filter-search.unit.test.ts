/** Reads the job filter from the address and turns it into a well-formed request. */
import { expect, test } from 'vitest';
import { EXTERNAL_TARGET_PATTERN } from '../../../src/domain/names.ts';
import { readFilter, toFilter } from '../../../src/web/jobs/filter-search.ts';

test('known parameters with valid values are read; others are ignored', () => {
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

test('the filter becomes the query of GET /jobs: lists, ISO times and a limit', () => {
  const since = new Date('2026-11-25T10:00').toISOString();
  expect(toFilter({ status: 'failed,quota', active: true, since: '2026-11-25T10:00' })).toEqual({
    status: ['failed', 'quota'],
    ignoreCompleted: true,
    since,
    limit: 100,
  });
});

test('a target of RUNNER=external keeps all of its 100 characters', () => {
  const target = `A${'b'.repeat(99)}`;
  expect(target).toMatch(EXTERNAL_TARGET_PATTERN);
  expect(readFilter({ target })).toEqual({ target });
  expect(readFilter({ target: `${target}x` })).toEqual({ target });
});
