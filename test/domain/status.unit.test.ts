/** The state machine by itself; job-model.pg.test.ts compares it with the guards of the SQL statements. */
import { expect, test } from 'vitest';
import {
  ACTIVE_STATUSES,
  canMove,
  CANCELLABLE_STATUSES,
  CLAIMED_STATUSES,
  EXECUTOR_STATUSES,
  FINAL_STATUSES,
  JOB_STATUSES,
  type JobStatus,
  LAUNCHING_STATUSES,
  STEPPING_STATUSES,
  UNCLAIMED_STATUSES,
} from '../../src/domain/status.ts';

test('a job that a workflow runs can end from every active status', () => {
  for (const from of ACTIVE_STATUSES) {
    const reached = new Set<JobStatus>([from]);
    for (const at of reached) for (const to of JOB_STATUSES) if (canMove(at, to)) reached.add(to);
    expect([...reached]).toEqual(expect.arrayContaining([...FINAL_STATUSES]));
  }
});

test('every status can be reached from queued', () => {
  const reached = new Set<JobStatus>(['queued']);
  for (const at of reached) for (const to of JOB_STATUSES) if (canMove(at, to)) reached.add(to);
  expect([...reached].toSorted()).toEqual(JOB_STATUSES.toSorted());
});

test('an external job is only ever queued or running before it ends', () => {
  const reached = new Set<JobStatus>(['queued']);
  for (const at of reached) for (const to of JOB_STATUSES) if (canMove(at, to, 'executor')) reached.add(to);
  expect([...reached].toSorted()).toEqual(['completed', 'deleted', 'failed', 'queued', 'running']);
});

test.each<[string, readonly JobStatus[], readonly JobStatus[]]>([
  ['claims', UNCLAIMED_STATUSES, ['queued', 'waiting']],
  ['begins a step', STEPPING_STATUSES, ['waiting', 'starting', 'running']],
  ['notes a first report', LAUNCHING_STATUSES, ['waiting', 'starting']],
  ['finishes', CLAIMED_STATUSES, ['waiting', 'starting', 'running', 'cancelling']],
  ['takes an executor update', EXECUTOR_STATUSES, ['queued', 'running']],
  ['cancels', CANCELLABLE_STATUSES, ['queued', 'waiting', 'starting', 'running']],
])('the statement that %s is guarded by %j', (_, list, expected) => {
  expect(list).toEqual(expected);
});
