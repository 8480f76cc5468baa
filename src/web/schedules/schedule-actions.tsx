/** Buttons that pause a schedule with a note, resume it, or run it now. */
import { Button, Group, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { SchedulesJson } from '../../client/client.ts';
import { client } from '../app/session.ts';
import { Fault } from '../parts/query-boundary.tsx';
import { Confirm } from '../parts/confirm.tsx';

type Props = { schedule: SchedulesJson['schedules'][number]; disabled: boolean };

export function ScheduleActions({ schedule: { id, paused }, disabled }: Props) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [note, setNote] = useState('');
  const renew = () => void cache.invalidateQueries({ queryKey: ['schedules'] });
  const resuming = useMutation({ mutationFn: () => client.resumeSchedule(id), onSuccess: renew });
  return (
    <div>
      <Group gap="xs">
        <Confirm
          label="Run now"
          title={`Run ${id} now?`}
          yes="Run it now"
          color="blue"
          variant="default"
          size="compact-sm"
          disabled={disabled}
          act={() => client.runSchedule(id)}
          onDone={(job) => void navigate({ to: '/jobs/$id', params: { id: String(job.id) } })}
        >
          Starts a job now. The planned firings stay.
        </Confirm>
        {paused ? (
          <Button
            size="compact-sm"
            variant="default"
            disabled={disabled}
            loading={resuming.isPending}
            onClick={() => resuming.mutate()}
          >
            Resume
          </Button>
        ) : (
          <Confirm
            label="Pause"
            title={`Pause ${id}?`}
            yes="Pause it"
            color="orange.9"
            variant="default"
            size="compact-sm"
            disabled={disabled}
            act={() => client.pauseSchedule(id, note)}
            onDone={renew}
          >
            The schedule does not fire until it is resumed. A running job continues.
            <TextInput
              label="Note"
              description="Why it is paused; shown with the schedule"
              maxLength={200}
              value={note}
              onChange={({ currentTarget }) => setNote(currentTarget.value)}
              mt="sm"
            />
          </Confirm>
        )}
      </Group>
      {resuming.error && <Fault error={resuming.error} />}
    </div>
  );
}
