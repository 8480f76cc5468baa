/** Differences between two jobs of a kind, and the points of the chart. */
import { expect, test } from 'vitest';
import type { JobJson } from '../../../src/client/client.ts';
import { compare } from '../../../src/web/job/compare.ts';
import { toPoints, withNewest } from '../../../src/web/job/progress-points.ts';

function job(of: object): JobJson {
  const base = {
    status: 'completed',
    status_reason: null,
    stalled: false,
    stalled_by: null,
    started_at: '2026-11-25T10:00:00Z',
    finished_at: '2026-11-25T10:01:40Z',
    parameters: { options: '-n 1000', is_tag: 'v1', mam_main_query: null },
    runner: 'process',
    sync_job: null,
    steps: [],
    failed_items: [],
    kept: null,
    listing: null,
    progress: { records_done: 1_000, rate: 10, added: 5, updated: 0, deleted: 0, failed: null },
  };
  // Only the members that the code reads.
  return { ...base, ...of } as unknown as JobJson;
}

const differing = (here: object, there: object) =>
  compare(job(here), job(there)).flatMap(({ what, differs }) => (differs ? [what] : []));

test('equal jobs have no differences, and facts that neither job has are left out', () => {
  expect(differing({}, {})).toEqual([]);
  expect(compare(job({}), job({})).map(({ what }) => what)).not.toContain('Query');
});

test('a different tag, status or count is marked; a count within 10 % is not', () => {
  const progress = { records_done: 950, rate: 5, added: 0, updated: 0, deleted: 0, failed: 3 };
  const parameters = { options: '-n 1000', is_tag: 'v2', mam_main_query: null };
  expect(
    differing(
      { status: 'failed', progress, parameters, finished_at: '2026-11-25T10:01:45Z', listing: 'unproven' },
      { listing: 'complete' },
    ),
  ).toEqual(['Status', 'Records a second', 'Added', 'Failed', 'Listing', 'Image tag']);
});

test('the newest report is added once to the stored points, and rates are computed within one attempt only', () => {
  const at = (second: number) => `2026-11-25T10:00:0${second}.000Z`;
  const point = (step: number, second: number, done: number | null) => ({
    step,
    attempt: 1,
    at: at(second),
    phase: 'load',
    records_done: done,
    records_total: 100,
  });
  const stored = [point(0, 0, 0), point(0, 2, 40), point(1, 3, 5)];
  const progress = { phase: 'load', records_done: 25, records_total: 100, reported_at: at(5) };
  const all = withNewest(stored, job({ steps: [{ step: 1, attempt: 1, progress }] }));
  expect(all).toHaveLength(4);
  expect(withNewest(all, job({ steps: [{ step: 1, attempt: 1, progress }] }))).toHaveLength(4);
  const points = toPoints([...all, point(1, 6, null)]);
  expect(points.records).toEqual([
    [0, 40, null, null],
    [null, null, 5, 25],
  ]);
  expect(points.rate).toEqual([null, 20, null, 10]);
});
