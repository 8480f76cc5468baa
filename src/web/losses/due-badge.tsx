/** Mark of a loss: waiting and until when, overdue, or resolved. */
import { Badge } from '@mantine/core';
import type { LossJson } from '../../client/client.ts';
import { dayOf } from '../../client/loss-format.ts';
import { localTime } from '../parts/clock.tsx';

export function DueBadge({ loss }: { loss: LossJson }) {
  const { status, overdue, expires_at: until, resolved_at: end } = loss;
  const look =
    status === 'resolved'
      ? { color: 'green', mark: '✓', words: 'resolved', time: end ?? loss.changed_at }
      : overdue
        ? { color: 'red', mark: '⚠', words: `overdue since ${dayOf(until)}`, time: until }
        : { color: 'yellow', mark: '!', words: `answer by ${dayOf(until)}`, time: until };
  return (
    <Badge color={look.color} variant="status" radius="sm" tt="none" title={localTime(look.time)}>
      <span aria-hidden="true">{look.mark} </span>
      {look.words}
    </Badge>
  );
}
