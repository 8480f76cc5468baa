/** The table of the benchmarks: medians, ratio, and the bound as written. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { holds, median, table } from '../../bench/table.ts';

const figure = (bound: string, ours: number[], raw: number[]) => ({
  bench: 'it',
  unit: 's',
  ours,
  raw,
  bound,
});

test.each<[number[], number]>([
  [[3], 3],
  [[10, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
])('the median of %j is %d', (samples, expected) => {
  expect(median(samples)).toBe(expected);
});

test.each<[string, number, number, boolean]>([
  ['ours/raw <= 3', 6, 2, true],
  ['ours/raw <= 3', 6.1, 2, false],
  ['ours/raw >= 0.3', 3, 10, true],
  ['ours/raw >= 0.3', 2, 10, false],
  ['ours < 10 s', 9, 1, true],
  ['ours < 10 s', 10, 1, false],
  ['ours < 450 MiB', 400, 1, true],
  ['ours > 1', 2, 1, true],
])('%s with %d beside %d: %s', (bound, ours, raw, expected) => {
  expect(holds(figure(bound, [ours], [raw]))).toBe(expected);
});

test('a bound in another form is refused', () => {
  expect(() => holds(figure('fast enough', [1], [1]))).toThrow(/'fast enough' is not a valid bound/);
});

test('the table has every column', () => {
  expect(table([figure('ours/raw <= 3', [8, 9, 10], [2, 3, 4])])).toEqual([
    'name  median ours  median raw  ratio  bound          holds',
    'it    9.00 s       3.00 s      3.00   ours/raw <= 3  yes',
  ]);
});

test('a ratio to zero is left out', () => {
  expect(table([figure('ours <= 3', [2], [0])])[1]).toBe(
    'it    2.00 s       0.00 s      -      ours <= 3  yes',
  );
});

test('an unknown group ends with 1 and the names of all groups', () => {
  const main = path.resolve(import.meta.dirname, '../../bench/main.ts');
  const ran = spawnSync(process.execPath, [main, 'nonsense'], { encoding: 'utf8' });
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain(
    'no group nonsense; groups: load, wal, volume, plans, sources, start, cold, runs, growth, listing, events, page',
  );
});
