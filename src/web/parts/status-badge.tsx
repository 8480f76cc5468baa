/** A job's status in its colour, and in words for who sees no colour. */
import { Badge } from '@mantine/core';
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

/** @param more why it waits, or that it is silent */
export function StatusBadge({ status, more }: { status: JobStatus; more?: string | null }) {
  const { color, mark } = LOOKS[status];
  return (
    <Badge color={color} variant="status" radius="sm" tt="none">
      <span aria-hidden="true">{mark} </span>
      {more ? `${status} (${more})` : status}
    </Badge>
  );
}

export function isStatus(text: string): text is JobStatus {
  return text in LOOKS;
}
