/** Schedules: next firings in their own zone, outcomes of the last ones, and buttons to pause and run them. */
import { Alert, Badge, Card, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { SchedulesJson } from '../../client/client.ts';
import { needsBothDays } from '../../domain/cron.ts';
import { queries } from '../app/queries.ts';
import { useDenialReason, DenialReason } from '../app/permissions.tsx';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { localTime } from '../parts/clock.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ScheduleActions } from './schedule-actions.tsx';

type Schedule = SchedulesJson['schedules'][number];

export function Schedules() {
  const query = useQuery(queries.schedules());
  const why = useDenialReason({ role: 'operator' });
  return (
    <>
      <PageHead title="Schedules" />
      <QueryBoundary query={query} what="schedules">
        {({ temporal, schedules }) => (
          <>
            {temporal === 'unreachable' && (
              <Alert color="yellow" mb="md" title="Cannot reach Temporal">
                The next firing times and paused states are unknown until Temporal is back.
              </Alert>
            )}
            {schedules.length === 0 && (
              <Text>
                No schedules yet: put <code>SCHEDULE=0 1 * * *</code> and{' '}
                <code>TIMEZONE=Europe/Brussels</code> into a params file.
              </Text>
            )}
            {schedules.length > 0 && <DenialReason why={why} />}
            <Stack gap="sm">
              {schedules.map((schedule) => (
                <ScheduleCard key={schedule.id} schedule={schedule} isDenialShown={why !== undefined} />
              ))}
            </Stack>
          </>
        )}
      </QueryBoundary>
    </>
  );
}

function ScheduleCard({ schedule, isDenialShown }: { schedule: Schedule; isDenialShown: boolean }) {
  const { id, env, action, timezone, note, refused } = schedule;
  const why = useDenialReason({ role: 'operator', of: { env, action_name: action, action } });
  return (
    <Card withBorder padding="sm" component="section" aria-label={id}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text fw={600} component="h2">
            {id}
          </Text>
          <ScheduleState schedule={schedule} />
        </Group>
        <ScheduleActions schedule={schedule} disabled={why !== undefined} />
      </Group>
      {!isDenialShown && <DenialReason why={why} />}
      <Text size="sm">
        <code>{schedule.schedule}</code> in {timezone}
        {schedule.mode === 'plan' && ' · makes a plan, which a person applies'}
        {note ? ` · ${note}` : ''}
      </Text>
      {needsBothDays(schedule.schedule) && (
        <Text size="sm">
          The schedule fires only on days that match both the day of the month and the day of the week.
        </Text>
      )}
      {refused !== null && (
        <Alert color="red" mt={4} title="Temporal rejects this schedule, so it does not fire">
          {refused}
        </Alert>
      )}
      <NextFirings schedule={schedule} />
      <ClockChanges schedule={schedule} />
      <Firings schedule={schedule} />
    </Card>
  );
}

function ScheduleState({ schedule: { paused, refused } }: { schedule: Schedule }) {
  const [color, text] =
    refused !== null
      ? ['red', 'refused']
      : paused === null
        ? ['green', 'unknown']
        : paused
          ? ['yellow', 'paused']
          : ['green', 'on'];
  return (
    <Badge variant="status" color={color} tt="none" radius="sm">
      {text}
    </Badge>
  );
}

function NextFirings({ schedule: { next, paused, timezone } }: { schedule: Schedule }) {
  if (!next || next.length === 0 || paused === true) return null;
  return (
    <Text size="sm" mt={4}>
      Next:{' '}
      {next
        .slice(0, 4)
        .map((time) => localTime(time, timezone))
        .join(' · ')}
    </Text>
  );
}

/** Explains firings that a change between standard and daylight saving time moves or repeats. */
function ClockChanges({ schedule: { clock_changes: changes, timezone } }: { schedule: Schedule }) {
  return changes?.map((change) => (
    <Text size="sm" key={change.local_time} c="orange.9">
      {change.kind === 'gap'
        ? `${change.local_time} does not exist that night: the clocks go forward.`
        : `${change.local_time} occurs twice: the clocks go back.`}{' '}
      {change.fires.length === 0
        ? 'The schedule does not fire.'
        : `The schedule fires at ${change.fires.map((time) => localTime(time, timezone)).join(' and ')}.`}
    </Text>
  ));
}

function Firings({ schedule }: { schedule: Schedule }) {
  const { last_firings: firings, left_out: leftOut, timezone } = schedule;
  const missed = leftOut ? leftOut.too_late + leftOut.overlapping : 0;
  return (
    <>
      {missed > 0 && (
        <Text size="sm" mt={4}>
          <b>
            {missed} {missed === 1 ? 'firing was' : 'firings were'} skipped
          </b>{' '}
          since the schedule was created: {leftOut?.too_late} while Temporal was unavailable,{' '}
          {leftOut?.overlapping} because an earlier run had not ended.
        </Text>
      )}
      <Text size="sm" mt={4}>
        {firings.length === 0 ? 'Has not fired yet.' : 'Last firings:'}
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
