/** The status machine: a final status never changes, and the guards of SQL are the machine's. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ACTIVE_STATUSES,
  canMove,
  FINAL_STATUSES,
  isFinal,
  JOB_STATUSES,
  type JobStatus,
  statusesBefore,
} from '../../src/domain/status.ts';

const status = fc.constantFrom(...JOB_STATUSES);

test('a walk of allowed moves never leaves a final status', () => {
  let ended = 0;
  fc.assert(
    fc.property(fc.array(status, { maxLength: 60 }), (wishes) => {
      let now: JobStatus = 'queued';
      let final: JobStatus | undefined;
      for (const wish of wishes) {
        if (canMove(now, wish)) now = wish;
        if (final !== undefined) expect(now).toBe(final);
        if (isFinal(now)) final = now;
      }
      if (final !== undefined) ended += 1;
    }),
    { numRuns: 1_000 },
  );
  expect(ended).toBeGreaterThan(100);
});

test('statusesBefore is canMove, read backwards', () => {
  for (const to of JOB_STATUSES)
    expect(statusesBefore(to)).toEqual(JOB_STATUSES.filter((from) => canMove(from, to)));
});

test('no status moves to itself, and none but active ones move at all', () => {
  for (const from of JOB_STATUSES) {
    expect(canMove(from, from)).toBe(false);
    expect(JOB_STATUSES.some((to) => canMove(from, to))).toBe(!isFinal(from));
  }
});

test('from every active status a job can end', () => {
  for (const from of ACTIVE_STATUSES) {
    const reached = new Set<JobStatus>([from]);
    for (const at of reached) for (const to of JOB_STATUSES) if (canMove(at, to)) reached.add(to);
    expect([...reached]).toEqual(expect.arrayContaining([...FINAL_STATUSES]));
  }
});

test.each<[JobStatus, JobStatus[]]>([
  ['queued', ['waiting']],
  ['starting', ['queued', 'waiting']],
  ['running', ['waiting', 'starting']],
  ['cancelling', ['waiting', 'starting', 'running']],
  ['completed', ['starting', 'running', 'cancelling']],
  ['failed', ['waiting', 'starting', 'running', 'cancelling']],
  ['deleted', ['queued', 'waiting', 'cancelling']],
])('%s comes after %j', (to, before) => {
  expect(statusesBefore(to)).toEqual(before);
});
