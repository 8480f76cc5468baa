/** A job's status as colour, mark and text, so that it does not depend on colour alone. */
import { Badge } from '@mantine/core';
import { statusOf } from '../../client/format.ts';
import type { JobStatus } from '../../domain/status.ts';

const LOOKS: Record<JobStatus, { color: string; mark: string }> = {
  completed: { color: 'green', mark: '✓' },
  failed: { color: 'red', mark: '✗' },
  deleted: { color: 'gray', mark: '⊘' },
  cancelling: { color: 'orange', mark: '…' },
  waiting: { color: 'yellow', mark: '⏸' },
  queued: { color: 'gray', mark: '·' },
  starting: { color: 'cyan', mark: '↑' },
  running: { color: 'blue', mark: '▶' },
};

type Shown = {
  readonly status: JobStatus;
  readonly status_reason?: string | null;
  readonly phase?: string | null;
  readonly stalled?: boolean;
};

export function StatusBadge({ job }: { job: Shown }) {
  const { status, status_reason = null, phase = null, stalled = false } = job;
  const { color, mark } = LOOKS[status];
  return (
    <Badge color={color} variant="status" radius="sm" tt="none">
      <span aria-hidden="true">{mark} </span>
      {statusOf({ status, status_reason, phase, stalled })}
    </Badge>
  );
}

export function isStatus(text: string): text is JobStatus {
  return text in LOOKS;
}
