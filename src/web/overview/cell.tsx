/** Overview cell of one target in one environment: last result, age of its data, active job. */
import { Card, Group, Text, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { LISTING_WORDS } from '../../client/data-format.ts';
import { heldWords, needsAnswer } from '../../client/loss-format.ts';
import { queries } from '../app/queries.ts';
import { Ago, localTime } from '../parts/clock.tsx';
import { JobProgress } from '../parts/job-progress.tsx';
import { isStatus, StatusBadge } from '../parts/status-badge.tsx';
import type { Cell } from './cells.ts';

const LOOKS = ['cell-failed', 'cell-late', 'cell-running', ''];

export function OverviewCell({ cell }: { cell: Cell }) {
  const { target, env, active, freshness, schedules } = cell;
  const last = env.last_job;
  const next = schedules
    .flatMap(({ next: times, paused }) => (paused === true ? [] : (times ?? [])))
    .toSorted()[0];
  return (
    <Card withBorder padding="xs" className={LOOKS[cell.rank] ?? ''} miw={210}>
      <Group justify="space-between" gap={4} wrap="nowrap">
        {last ? (
          <Link to="/jobs/$id" params={{ id: String(last.id) }}>
            {active ? (
              <StatusBadge job={active} />
            ) : (
              isStatus(last.status) && <StatusBadge job={{ status: last.status }} />
            )}
            <VisuallyHidden>
              , job {last.id} of {target} in {env.env}
            </VisuallyHidden>
          </Link>
        ) : (
          <Text size="xs">never run</Text>
        )}
        <Link to="/start" search={{ target, env: env.env, action: env.actions[0]?.action }}>
          <Text size="xs">
            start
            <VisuallyHidden>
              {' '}
              {target} in {env.env}
            </VisuallyHidden>
          </Text>
        </Link>
      </Group>
      {active && (
        <div style={{ marginTop: 8 }}>
          <JobProgress job={active} />
        </div>
      )}
      {!active && last?.status === 'failed' && <WhyFailed id={last.id} />}
      {(last ?? env.last_success_at) !== null && (
        <Text size="xs" mt={6}>
          {freshness === 'late' ? <b>Late: last success </b> : 'Last success '}
          <Ago time={env.last_success_at} />
        </Text>
      )}
      <Removals env={env} />
      {env.next_start && <Text size="xs">then {env.next_start.action_name}</Text>}
      <Waiting target={target} env={env.env} />
      {env.listing === 'unproven' && <Text size="xs">listing: {LISTING_WORDS.unproven}</Text>}
      {next !== undefined && (
        <Text size="xs" className="dimmed" title={localTime(next)}>
          next {localTime(next).replace(/:\d\d (?=\S+$)/, ' ')}
        </Text>
      )}
      {schedules.some(({ paused }) => paused) && <Text size="xs">a schedule is paused</Text>}
    </Card>
  );
}

/** Only where another job than the last success has listed everything: elsewhere the last success says it. */
function Removals({ env }: Pick<Cell, 'env'>) {
  const { removals_fresh_at: fresh, removals_listed_by: listedBy, last_success_job_id: success } = env;
  if (fresh === null || listedBy === success) return null;
  return (
    <Text size="xs" title={localTime(fresh)}>
      Removals as of <Ago time={fresh} />
    </Text>
  );
}

function Waiting({ target, env }: { target: string; env: string }) {
  const { data: loss } = useQuery({
    ...queries.waitingLosses(),
    select: (losses) => losses.find((one) => one.target === target && one.env === env && needsAnswer(one)),
  });
  if (!loss) return null;
  return (
    <Text size="xs" mt={4}>
      <Link to="/losses/$id" params={{ id: String(loss.id) }}>
        <span aria-hidden="true">{loss.overdue ? '⚠' : '!'} </span>
        {heldWords(loss.count)}
        {loss.overdue && ', overdue'}
        <VisuallyHidden>
          {' '}
          of {target} in {env}
        </VisuallyHidden>
      </Link>
    </Text>
  );
}

function WhyFailed({ id }: { id: number }) {
  const { data } = useQuery(queries.job(id));
  if (!data?.diagnosis) return null;
  return (
    <Text size="xs" mt={6} lineClamp={2} title={data.diagnosis.what_to_do}>
      {data.diagnosis.summary}
    </Text>
  );
}
