/** What runs by itself: when next in its own zone, what became of the last firings, pausing and running now. */
import { Alert, Badge, Card, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { SchedulesJson } from '../../client/client.ts';
import { ask } from '../app/queries.ts';
import { useWhyNot, WhyNot } from '../app/rights.tsx';
import { Asked } from '../parts/asked.tsx';
import { localTime } from '../parts/clock.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ScheduleActions } from './schedule-actions.tsx';

type Schedule = SchedulesJson['schedules'][number];

export function Schedules() {
  const query = useQuery(ask.schedules());
  const why = useWhyNot({ role: 'operator' });
  return (
    <>
      <PageHead title="Schedules" />
      <Asked query={query} what="schedules">
        {({ temporal, schedules }) => (
          <>
            {temporal === 'unreachable' && (
              <Alert color="yellow" mb="md" title="Temporal cannot be reached">
                When they fire next, and whether they are paused, is not known at the moment.
              </Alert>
            )}
            {schedules.length === 0 && (
              <Text>
                None yet: put <code>SCHEDULE=0 1 * * *</code> and <code>TIMEZONE=Europe/Brussels</code> into a
                params file.
              </Text>
            )}
            {schedules.length > 0 && <WhyNot why={why} />}
            <Stack gap="sm">
              {schedules.map((schedule) => (
                <ScheduleCard key={schedule.id} schedule={schedule} isToldWhyNot={why !== undefined} />
              ))}
            </Stack>
          </>
        )}
      </Asked>
    </>
  );
}

function ScheduleCard({ schedule, isToldWhyNot }: { schedule: Schedule; isToldWhyNot: boolean }) {
  const { id, env, action, timezone, paused, note, next, clock_changes: changes } = schedule;
  const why = useWhyNot({ role: 'operator', of: { env, action_name: action, action } });
  return (
    <Card withBorder padding="sm" component="section" aria-label={id}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text fw={600} component="h2">
            {id}
          </Text>
          <Badge variant="status" color={paused ? 'yellow' : 'green'} tt="none" radius="sm">
            {paused === null ? 'not known' : paused ? 'paused' : 'on'}
          </Badge>
        </Group>
        <ScheduleActions schedule={schedule} disabled={why !== undefined} />
      </Group>
      {!isToldWhyNot && <WhyNot why={why} />}
      <Text size="sm">
        <code>{schedule.schedule}</code> in {timezone}
        {note ? ` · ${note}` : ''}
      </Text>
      {next && next.length > 0 && paused !== true && (
        <Text size="sm" mt={4}>
          Next:{' '}
          {next
            .slice(0, 4)
            .map((time) => localTime(time, timezone))
            .join(' · ')}
        </Text>
      )}
      {changes?.map((change) => (
        <Text size="sm" key={change.local_time} c="orange.9">
          {change.kind === 'gap'
            ? `${change.local_time} does not come that night: the clocks go forward.`
            : `${change.local_time} comes twice: the clocks go back.`}{' '}
          It fires at {change.fires.map((time) => localTime(time, timezone)).join(' and ') || 'no time'}.
        </Text>
      ))}
      <Firings schedule={schedule} />
    </Card>
  );
}

function Firings({ schedule }: { schedule: Schedule }) {
  const { last_firings: firings, left_out: leftOut, timezone } = schedule;
  const missed = leftOut ? leftOut.too_late + leftOut.overlapping : 0;
  return (
    <>
      {missed > 0 && (
        <Text size="sm" mt={4}>
          <b>
            {missed} {missed === 1 ? 'firing was' : 'firings were'} left out
          </b>{' '}
          since this schedule was made: {leftOut?.too_late} while Temporal was away, {leftOut?.overlapping}{' '}
          held up with an earlier one.
        </Text>
      )}
      <Text size="sm" mt={4}>
        {firings.length === 0 ? 'It has not fired yet.' : 'Last firings:'}
      </Text>
      <ul className="firings">
        {firings.map((firing) => (
          <li key={firing.nominal_time}>
            {localTime(firing.nominal_time, timezone)}: {firing.outcome}
            {firing.job_id !== null && (
              <>
                {', '}
                <Link to="/jobs/$id" params={{ id: String(firing.job_id) }}>
                  job {firing.job_id}
                </Link>
              </>
            )}
            {firing.detail && `, ${firing.detail}`}
          </li>
        ))}
      </ul>
    </>
  );
}
