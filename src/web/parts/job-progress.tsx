/** Progress of an active job: a bar, records, rate, and time left. */
import { Group, Progress, Text } from '@mantine/core';
import type { JobJson } from '../../client/client.ts';
import { duration, recordsOf, secondsLeft, tookOf } from '../../client/format.ts';
import { useNow } from './clock.tsx';

type Props = { job: JobJson; size?: 'sm' | 'lg' };

export function JobProgress({ job, size = 'sm' }: Props) {
  const now = useNow();
  const { progress } = job;
  const percent = progress?.percent ?? null;
  const left = secondsLeft(progress);
  const facts = [
    recordsOf(progress) && `${recordsOf(progress)} records`,
    progress?.rate === null || progress?.rate === undefined
      ? ''
      : `${Math.round(progress.rate).toLocaleString('en')}/s`,
    left === undefined ? '' : `${duration(left)} left`,
    `for ${tookOf(job, Math.max(now, Date.parse(job.started_at ?? job.created_at)))}`,
  ].filter((part) => part !== '');
  const name = `Progress of job ${job.id}`;
  return (
    <div>
      <Progress.Root size={size} role="presentation">
        <Progress.Section
          value={percent ?? 100}
          animated
          striped={percent === null}
          aria-label={name}
          aria-valuetext={percent === null ? 'unknown' : `${percent.toFixed(0)} %`}
        />
      </Progress.Root>
      <Group justify="space-between" gap="xs" mt={4} wrap="nowrap">
        <Text size="xs" className="figures">
          {facts.join(' · ')}
        </Text>
        <Text size="xs" fw={600} className="figures nowrap">
          {percent === null ? '' : `${percent.toFixed(0)} %`}
        </Text>
      </Group>
    </div>
  );
}
