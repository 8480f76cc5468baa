/** Starts the job that tells the story of a record, and opens its page, which shows the story. */
import { Button, Group, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { STORY } from '../../domain/action.ts';
import type { Key } from '../../domain/job.ts';
import { DenialReason, useDenialReason } from '../app/permissions.tsx';
import { client } from '../app/session.ts';
import { Busy } from '../parts/busy.tsx';

function useStory({ target, env }: Key) {
  const navigate = useNavigate();
  const why = useDenialReason({ role: 'operator', of: { env, action_name: STORY, action: STORY } });
  const asking = useMutation({
    mutationFn: (id: string) => client.story(target, env, id),
    onSuccess: ({ job_id: job }) => void navigate({ to: '/jobs/$id', params: { id: String(job) } }),
  });
  return { why, asking };
}

/** A form that asks for the id. */
export function AskStory({ target, env, id: before = '' }: Key & { id?: string }) {
  const [id, setId] = useState(before);
  const { why, asking } = useStory({ target, env });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    asking.mutate(id);
  };
  return (
    <form onSubmit={submit}>
      <Group align="end" gap="xs">
        <TextInput
          label={`Id of a record of ${target} in ${env}`}
          value={id}
          onChange={({ currentTarget }) => setId(currentTarget.value)}
          size="xs"
          w={320}
          maw="100%"
        />
        <Button
          type="submit"
          size="xs"
          variant="default"
          disabled={id === '' || why !== undefined}
          loading={asking.isPending}
        >
          Tell its story
        </Button>
      </Group>
      <DenialReason why={why} />
      <Busy error={asking.error} />
    </form>
  );
}

/** A button for a record that is shown already; nothing for those who may not ask. */
export function StoryButton({ target, env, id }: Key & { id: string }) {
  const { why, asking } = useStory({ target, env });
  if (why !== undefined) return null;
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        mt={4}
        loading={asking.isPending}
        onClick={() => asking.mutate(id)}
        aria-label={`Story of the record ${id}`}
      >
        Story of the record
      </Button>
      <Busy error={asking.error} />
    </>
  );
}
