/** The page offers a rollback only for jobs that may have changed records. */
import { expect, test } from 'vitest';
import type { JobJson } from '../../../src/client/client.ts';
import { mayHaveChanged } from '../../../src/web/job/go-back.ts';

type Of = Partial<Pick<JobJson, 'status' | 'runner' | 'job_type'>> & {
  readonly action?: string;
  readonly options?: string;
  readonly counts?: readonly [added: number, updated: number, deleted: number];
  readonly outcomes?: readonly ('completed' | 'failed')[];
};

const REMOVAL = { action: 'remove', options: '--approval 0b0f6d1e-5a34-4c9e-9d1c-2f7f2f6c1a55' };

function job({ action = 'sync', options = '', counts, outcomes = ['completed'], ...of }: Of): JobJson {
  const [added = null, updated = null, deleted = null] = counts ?? [];
  // Only the members that the code reads.
  return {
    status: 'completed',
    runner: 'kubernetes',
    job_type: action,
    parameters: { action, options },
    progress: { added, updated, deleted },
    steps: outcomes.map((outcome) => ({ outcome })),
    ...of,
  } as unknown as JobJson;
}

test.each<[string, boolean, Of]>([
  ['a sync that changed a record', true, { counts: [0, 1, 0] }],
  ['a sync that changed none', false, { counts: [0, 0, 0] }],
  ['a program that counts nothing', true, {}],
  [
    'a diff whose delete failed',
    true,
    { action: 'diff', status: 'failed', outcomes: ['completed', 'failed'] },
  ],
  ['a sync that failed', false, { status: 'failed', outcomes: ['failed'] }],
  ['a job that runs', false, { status: 'running', counts: [5, 0, 0] }],
  ['a rollback', true, { action: 'rollback', counts: [0, 9, 0] }],
  ['a removal of approved records', true, { ...REMOVAL, counts: [0, 0, 9] }],
  ['a program’s own action of that name', false, { action: 'remove', counts: [0, 0, 9] }],
  ['a preview of one', false, { action: 'rollback', job_type: 'rollback-preview' }],
  ['a take-over', false, { action: 'take-over' }],
  ['a job of an external executor', false, { runner: 'external', counts: [5, 0, 0] }],
])('%s: rollback offered = %s', (_, offered, of) => {
  expect(mayHaveChanged(job(of))).toBe(offered);
});
