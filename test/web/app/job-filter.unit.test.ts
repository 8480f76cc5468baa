/** Applying events one at a time keeps a list of jobs equal to the server's. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobJson } from '../../../src/client/client.ts';
import { matches, withJob, withJobInPages } from '../../../src/web/app/job-filter.ts';

function job(of: Partial<JobJson>): JobJson {
  const shown = {
    id: 1,
    version: 1,
    status: 'running',
    status_reason: null,
    phase: null,
    target: 'avo',
    env: 'qas',
  };
  // Only the members that the filter reads.
  return { ...shown, job_type: 'sync', created_at: '2026-11-25T10:00:00.000Z', ...of } as JobJson;
}

test.each([
  [{}, true],
  [{ status: ['failed', 'running'] }, true],
  [{ status: ['failed'] }, false],
  [{ status: ['quota'] }, true, { status: 'waiting', status_reason: 'quota' }],
  [{ status: ['built'] }, true, { phase: 'built' }],
  [{ status: ['built'] }, false, { status: 'deleted', phase: 'built' }],
  [{ operation: ['delta'] }, false],
  [{ target: 'avo', env: 'qas' }, true],
  [{ env: 'prd' }, false],
  [{ ignoreCompleted: true }, false, { status: 'deleted' }],
  [{ since: '2026-11-25T10:00:00.000Z', until: '2026-11-25T10:00:00.001Z' }, true],
  [{ since: '2026-11-25T10:00:00.001Z' }, false],
  [{ until: '2026-11-25T10:00:00.000Z' }, false],
] as const)('filter %j matches: %s', (filter, fits, of: Partial<JobJson> = {}) => {
  expect(matches(filter, job(of))).toBe(fits);
});

test('events in any order leave the first page newest first, with each job once and in its newest version', () => {
  const heard = fc.array(
    fc.record({
      id: fc.integer({ min: 1, max: 12 }),
      version: fc.integer({ min: 1, max: 9 }),
      fits: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(heard, (events) => {
      let jobs: readonly JobJson[] = [job({ id: 6 }), job({ id: 4 })];
      for (const { id, version, fits } of events)
        jobs = withJob(jobs, job({ id, version }), { fits, mayEnter: true });
      const ids = jobs.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => b - a));
    }),
  );
});

test('an event with an older version returns the same list', () => {
  const jobs = [job({ id: 2, version: 5 }), job({ id: 1, version: 3 })];
  expect(withJob(jobs, job({ id: 2, version: 4 }), { fits: true, mayEnter: true })).toBe(jobs);
  expect(withJob(jobs, job({ id: 9 }), { fits: true, mayEnter: false })).toBe(jobs);
  expect(withJob(jobs, job({ id: 9 }), { fits: false, mayEnter: true })).toBe(jobs);
  expect(withJob(jobs, job({ id: 1, version: 4 }), { fits: false, mayEnter: true })).toEqual([jobs[0]]);
});

test('a job enters the page of its id; a job older than all enters the last page only if no page follows', () => {
  const page = (next: string | undefined, ...ids: number[]) => ({ next, jobs: ids.map((id) => job({ id })) });
  const idsWith = (id: number, ...pages: ReturnType<typeof page>[]) =>
    withJobInPages(pages, job({ id, version: 2 }), true).map(({ jobs }) => jobs.map((one) => one.id));
  expect(idsWith(5, page(undefined, 9))).toEqual([[9, 5]]);
  expect(idsWith(5, page('more', 9))).toEqual([[9]]);
  expect(idsWith(5, page('more', 9, 7), page('more', 6, 3))).toEqual([
    [9, 7],
    [6, 5, 3],
  ]);
  expect(idsWith(7, page('more', 9, 7), page('more', 6, 3))).toEqual([
    [9, 7],
    [6, 3],
  ]);
  expect(idsWith(5, page(undefined))).toEqual([[5]]);
});
