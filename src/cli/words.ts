/** Facts about jobs as every command shows them. */
import type { JobJson } from '../api/job-schema.ts';
import { statusOf } from '../client/words.ts';
import { isFinal } from '../domain/status.ts';
import { EXIT } from './failure.ts';
import type { Cell } from './output.ts';

const LOOKS = {
  completed: 'green',
  failed: 'red',
  deleted: 'dim',
  cancelling: 'yellow',
  waiting: 'yellow',
  queued: 'dim',
  starting: 'cyan',
  running: 'cyan',
} as const;

export function statusCell(job: Pick<JobJson, 'status' | 'status_reason' | 'phase' | 'stalled'>): Cell {
  return { text: statusOf(job), look: job.stalled ? 'yellow' : LOOKS[job.status] };
}

/** What the process that waited for the job ends with. */
export function exitOf(job: Pick<JobJson, 'status'>): number {
  return job.status === 'completed' || !isFinal(job.status) ? EXIT.ok : EXIT.runFailed;
}
