/** Cells and exit codes of jobs, shared by all commands. */
import type { JobJson } from '../client/client.ts';
import { statusOf } from '../client/format.ts';
import { isFinal } from '../domain/status.ts';
import { EXIT } from '../terminal/failure.ts';
import type { Cell } from '../terminal/output.ts';

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

/** The exit code of a process that waited for the job. */
export function exitOf(job: Pick<JobJson, 'status'>): number {
  return job.status === 'completed' || !isFinal(job.status) ? EXIT.ok : EXIT.runFailed;
}
