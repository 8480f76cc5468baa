/**
 * Tests how the fault programs judge: time limits grow with the load of the machine; each hook is served,
 * cancelled, or forgotten.
 */
import { expect, test } from 'vitest';
import { judgeHooks } from './hooks.ts';
import { measureBusyness, meanFactor, tooLate } from './busyness.ts';

const samples = [
  { at: 1_000, factor: 1 },
  { at: 2_000, factor: 2 },
  { at: 3_000, factor: 3 },
];

test('busyness is the mean since a given moment, and at least 1', () => {
  expect(meanFactor(samples, 0)).toBe(2);
  expect(meanFactor(samples, 2_000)).toBe(2.5);
  expect(meanFactor(samples, 9_000)).toBe(3); // not sampled since: the newest counts
  expect(meanFactor([{ at: 1_000, factor: 0.9 }], 0)).toBe(1);
  expect(meanFactor([], 0)).toBe(1);
});

test('a time limit grows with busyness', () => {
  expect(tooLate('settling took', 79, { seconds: 60, factor: 1.5 })).toEqual([]);
  expect(tooLate('settling took', 79, { seconds: 60, factor: 1 })).toEqual([
    'settling took 79.0 s, may take 60.0 s',
  ]);
  expect(tooLate('settling took', 79, { seconds: 60, factor: 1.25 })).toEqual([
    'settling took 79.0 s, may take 75.0 s (60 s on an idle machine)',
  ]);
});

test('the thread measures busyness', { timeout: 30_000 }, async () => {
  using busyness = measureBusyness();
  await expect.poll(() => busyness.taken(), { timeout: 20_000 }).toBeGreaterThan(1);
  expect(busyness.factor()).toBeGreaterThanOrEqual(1);
});

const at = (seconds: number) => new Date(seconds * 1_000);
const hook = { project: 4, sent: at(10) };
const job = (of: object) => ({
  id: 1,
  options: '--mute --item 4',
  status: 'completed' as const,
  created_at: at(13),
  claimed_at: at(14),
  ...of,
});

test.for([
  ['served by a job that began after it', [job({})], 0, { violations: [], cancelled: 0 }],
  ['served by a job for everything', [job({ options: '--mute' })], 0, { violations: [], cancelled: 0 }],
  [
    'cancelled with its job, before that began',
    [job({ status: 'deleted', claimed_at: null })],
    0,
    { violations: [], cancelled: 1 },
  ],
  ['still wanted', [], 1, { violations: [], unsettled: 1 }],
  ['waiting in a job', [job({ status: 'queued', claimed_at: null })], 0, { violations: [] }],
  ['forgotten', [], 0, { violations: [expect.stringContaining('project 4')] }],
  ['of a job that began before it', [job({ claimed_at: at(9) })], 0, { violations: [expect.anything()] }],
  [
    'of a cancelled job that was made before it',
    [job({ status: 'deleted', created_at: at(9), claimed_at: null })],
    0,
    { violations: [expect.anything()] },
  ],
  ['of a job of another project', [job({ options: '--item 44' })], 0, { violations: [expect.anything()] }],
] as const)('a hook: %s', ([, jobs, open, expected]) => {
  expect(judgeHooks([hook], jobs as unknown as Parameters<typeof judgeHooks>[1], open)).toMatchObject(
    expected,
  );
});
