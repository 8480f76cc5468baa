/** Finds where a takeover continues, by the rows of the attempts. */
import { expect, test } from 'vitest';
import { type AttemptState, mayRetry, type ResumePoint, resumePoint } from '../../src/domain/resume-point.ts';
import type { Diagnosis } from '../../src/domain/outcome.ts';

const because = (code: string): Diagnosis => ({ code, summary: '', detail: '', what_to_do: '' });
const attempt = (
  step: number,
  number: number,
  outcome: AttemptState['outcome'],
  diagnosis: Diagnosis | null = null,
): AttemptState => ({ step, attempt: number, outcome, diagnosis });
const at = (step: number, number: number): ResumePoint => ({ kind: 'step', step, attempt: number });
const ONE = [{ retries: 0 }];
const TWO = [{ retries: 0 }, { retries: 0 }];
const RETRIED = [{ retries: 2 }, { retries: 1 }];

test.each<[string, { retries: number }[], AttemptState[], ResumePoint]>([
  ['nothing was begun', TWO, [], at(0, 1)],
  ['the first attempt has no outcome yet', TWO, [attempt(0, 1, null)], at(0, 1)],
  ['the first step completed', TWO, [attempt(0, 1, 'completed')], at(1, 1)],
  ['the second is under way', TWO, [attempt(0, 1, 'completed'), attempt(1, 1, null)], at(1, 1)],
  [
    'the only step completed',
    ONE,
    [attempt(0, 1, 'completed')],
    { kind: 'over', outcome: { kind: 'completed' } },
  ],
  [
    'both completed',
    TWO,
    [attempt(0, 1, 'completed'), attempt(1, 1, 'completed')],
    { kind: 'over', outcome: { kind: 'completed' } },
  ],
  ['it was cancelled', TWO, [attempt(0, 1, 'cancelled')], { kind: 'over', outcome: { kind: 'cancelled' } }],
  [
    'it failed',
    TWO,
    [attempt(0, 1, 'failed', because('exit_code'))],
    { kind: 'over', outcome: { kind: 'failed', diagnosis: because('exit_code') } },
  ],
  [
    'it failed by itself where disruptions are retried',
    RETRIED,
    [attempt(0, 1, 'failed', because('oom'))],
    { kind: 'over', outcome: { kind: 'failed', diagnosis: because('oom') } },
  ],
  ['it was disrupted', RETRIED, [attempt(0, 1, 'failed', because('disrupted'))], at(0, 2)],
  [
    'the retry is under way',
    RETRIED,
    [attempt(0, 1, 'failed', because('disrupted')), attempt(0, 2, null)],
    at(0, 2),
  ],
  [
    'it was disrupted once too often',
    RETRIED,
    [
      attempt(0, 1, 'failed', because('disrupted')),
      attempt(0, 2, 'failed', because('disrupted')),
      attempt(0, 3, 'failed', because('disrupted')),
    ],
    { kind: 'over', outcome: { kind: 'failed', diagnosis: because('disrupted') } },
  ],
  [
    'the second step counts its own attempts',
    RETRIED,
    [
      attempt(0, 1, 'failed', because('disrupted')),
      attempt(0, 2, 'completed'),
      attempt(1, 1, 'failed', because('disrupted')),
    ],
    at(1, 2),
  ],
])('%s', (_, steps, attempts, expected) => {
  expect(resumePoint(steps, attempts)).toEqual(expected);
});

test('a failure without a stored reason is still a failure', () => {
  expect(resumePoint(RETRIED, [attempt(0, 1, 'failed')])).toMatchObject({
    kind: 'over',
    outcome: { kind: 'failed', diagnosis: { code: 'unknown' } },
  });
});

test.each([
  ['disrupted', 1, 0, false],
  ['disrupted', 1, 1, true],
  ['disrupted', 2, 1, false],
  ['exit_code', 1, 5, false],
])('%s in attempt %i of %i retries: %s', (code, number, retries, expected) => {
  expect(mayRetry(because(code), number, retries)).toBe(expected);
});
