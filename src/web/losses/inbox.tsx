/** Link of the header to the removals that wait: quiet without any, marked once one is overdue. */
import { Badge } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { needsAnswer } from '../../client/loss-format.ts';
import { queries } from '../app/queries.ts';

export function Inbox() {
  const { data: waiting } = useQuery({
    ...queries.waitingLosses(),
    select: (losses) => losses.filter(needsAnswer),
  });
  if (waiting === undefined) return null;
  const overdue = waiting.filter((loss) => loss.overdue).length;
  const [words, color] =
    waiting.length === 0
      ? (['no removals wait', 'gray'] as const)
      : ([
          `${waiting.length} ${waiting.length === 1 ? 'set of removals waits' : 'sets of removals wait'}`,
          overdue > 0 ? 'red' : 'yellow',
        ] as const);
  const late = overdue === 0 ? '' : `, ${overdue} overdue`;
  return (
    <Badge
      component={Link}
      to="/losses"
      color={color}
      variant={waiting.length === 0 ? 'transparent' : 'status'}
      tt="none"
      radius="sm"
      className={`inbox quiet-link ${waiting.length === 0 ? 'dimmed' : ''}`}
      aria-label={`Inbox: ${words}${late}`}
      title={`${words}${late}`}
    >
      <span aria-hidden="true">{overdue > 0 ? '⚠' : '✉'} </span>
      <span className="figures">{waiting.length}</span>
      {overdue > 0 && <span className="inbox-late">, {overdue} overdue</span>}
    </Badge>
  );
}
