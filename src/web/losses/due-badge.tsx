/** Mark of a loss: waiting and until when, overdue, or resolved. */
import { Badge } from '@mantine/core';
import type { LossJson } from '../../client/client.ts';
import { dayOf, needsAnswer } from '../../client/loss-format.ts';
import { localTime } from '../parts/clock.tsx';

export function DueBadge({ loss }: { loss: LossJson }) {
  const look = lookOf(loss);
  return (
    <Badge color={look.color} variant="status" radius="sm" tt="none" title={localTime(look.time)}>
      <span aria-hidden="true">{look.mark} </span>
      {look.words}
    </Badge>
  );
}

type Look = { color: string; mark: string; words: string; time: string };

function lookOf(loss: LossJson): Look {
  const { status, overdue, expires_at: until, resolved_at: end, changed_at: changed } = loss;
  if (status === 'resolved') return { color: 'green', mark: '✓', words: 'resolved', time: end ?? changed };
  if (!needsAnswer(loss)) return { color: 'gray', mark: '✓', words: 'all kept for now', time: changed };
  return overdue
    ? { color: 'red', mark: '⚠', words: `overdue since ${dayOf(until)}`, time: until }
    : { color: 'yellow', mark: '!', words: `answer by ${dayOf(until)}`, time: until };
}
