/** When a listing of a GitLab group counts as complete, and when it is aborted. */
import { expect, test } from 'vitest';
import { Census } from '../../../../src/job/compat/gitlab/census.ts';

function censusOf(...pages: readonly (readonly [news: number, total: number | null])[]): Census {
  const census = new Census();
  for (const [news, total] of pages) census.note({ news, total });
  return census;
}

test.each([
  [
    'as many as told',
    [
      [100, 150],
      [50, 150],
    ],
    true,
    '150 projects listed, X-Total 150',
  ],
  ['an empty group', [[0, 0]], true, '0 projects listed, X-Total 0'],
  [
    'some that went meanwhile',
    [
      [100, 200],
      [99, 195],
    ],
    true,
    '199 projects listed, X-Total 195 to 200',
  ],
  [
    'fewer than told',
    [
      [100, 150],
      [49, 150],
    ],
    false,
    '149 projects listed, X-Total 150; check that GITLAB_TOKEN',
  ],
  [
    'more than told',
    [
      [100, 150],
      [51, 150],
    ],
    false,
    '151 projects listed, X-Total 150; check',
  ],
  [
    'totals that differ too much',
    [
      [100, 200],
      [80, 179],
    ],
    false,
    'X-Total 179 to 200, which differ too much',
  ],
  [
    'a total of 0 on a later page',
    [
      [100, 150],
      [50, 0],
    ],
    false,
    'X-Total 0 to 150, which differ too much',
  ],
  [
    'no total',
    [
      [100, null],
      [50, null],
    ],
    false,
    '150 projects listed, X-Total is missing',
  ],
  [
    'a total of some pages alone',
    [
      [100, null],
      [50, 150],
    ],
    true,
    '150 projects listed, X-Total 150',
  ],
] as const)('the evidence of a listing with %s is correct', (_, pages, complete, words) => {
  const census = censusOf(...pages);
  expect(census.evidence()).toMatchObject({ complete });
  expect(census.evidence().words).toContain(words);
});

test('a listing is aborted above its total by 10 % or one page, whichever is more', () => {
  expect(() => censusOf([100, 3])).not.toThrow();
  expect(() => censusOf([100, 3], [4, 3])).toThrow('incomplete listing: 104 projects listed, but X-Total 3');
  const long = Array.from({ length: 22 }, () => [100, 2_000] as const);
  expect(() => censusOf(...long)).not.toThrow();
  expect(() => censusOf(...long, [1, 2_000])).toThrow('2201 projects listed, but X-Total 2000');
});

test('a listing without totals is aborted after a million projects, or a hundred pages without a new one', () => {
  const uncounted = censusOf(...Array.from({ length: 10_000 }, () => [100, null] as const));
  expect(() => uncounted.note({ news: 1, total: null })).toThrow('1000001 projects listed');
  const still = censusOf(...Array.from({ length: 100 }, () => [0, 100] as const));
  expect(() => still.note({ news: 0, total: 100 })).toThrow('change too quickly');
});
