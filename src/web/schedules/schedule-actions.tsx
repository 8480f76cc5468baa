/** Pausing a schedule with a note, resuming it, running it now. */
import { Button, Group, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { SchedulesJson } from '../../client/client.ts';
import { client } from '../app/session.ts';
import { Fault } from '../parts/asked.tsx';
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
          A job is started at once, beside its planned firings.
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
            It does not fire until somebody resumes it. A job that runs goes on.
            <TextInput
              label="Note"
              description="Why, for who wonders later"
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
