/** One job: how it goes, why it failed and what to do, its steps, its log, what it was asked, and what was else last time. */
import { Alert, Anchor, Grid, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { JobJson } from '../../api/job-schema.ts';
import { tookOf } from '../../client/words.ts';
import { isFinal } from '../../domain/status.ts';
import { ask } from '../app/queries.ts';
import { NotFound } from '../app/not-found.tsx';
import { Asked } from '../parts/asked.tsx';
import { Ago, useNow } from '../parts/clock.tsx';
import { JobProgress } from '../parts/job-progress.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';
import { Comparison } from './comparison.tsx';
import { Facts } from './facts.tsx';
import { FailedItems } from './failed-items.tsx';
import { JobActions } from './job-actions.tsx';
import { Logs } from './logs.tsx';
import { Section } from './section.tsx';
import { Timeline } from './timeline.tsx';

const ProgressChart = lazy(async () => ({ default: (await import('./progress-chart.tsx')).ProgressChart }));

export function JobPage() {
  const id = Number(useParams({ from: '/jobs/$id' }).id);
  const job = useQuery({ ...ask.job(id), enabled: Number.isSafeInteger(id) && id > 0 });
  if (!Number.isSafeInteger(id) || id < 1) return <NotFound />;
  return (
    <Asked query={job} what={`job ${id}`}>
      {(shown) => <JobView job={shown} key={shown.id} />}
    </Asked>
  );
}

function JobView({ job }: { job: JobJson }) {
  const now = useNow();
  return (
    <>
      <PageHead title={`Job ${job.id}: ${job.job_type} of ${job.target} in ${job.env}`}>
        <JobActions job={job} />
      </PageHead>
      <Group gap="sm" mb="sm">
        <div role="status">
          <StatusBadge job={job} />
        </div>
        <Text size="sm">
          asked for <Ago time={job.created_at} /> by {job.requested_by} ({job.trigger}) ·{' '}
          {isFinal(job.status) ? 'took' : 'for'}{' '}
          {tookOf(job, Math.max(now, Date.parse(job.started_at ?? job.created_at)))}
        </Text>
        {job.temporal_url !== null && (
          <Anchor href={job.temporal_url} size="sm" underline="always" target="_blank" rel="noreferrer">
            Temporal Web UI
          </Anchor>
        )}
      </Group>
      {job.status_detail !== null && !isFinal(job.status) && (
        <Alert color="yellow" mb="sm" title="Why it waits">
          {job.status_detail}
        </Alert>
      )}
      {job.stalled && (
        <Alert color="yellow" mb="sm" title="Nothing is heard of it">
          It runs, but has reported nothing for a while. Its log may tell why.
        </Alert>
      )}
      {job.diagnosis && <Diagnosis diagnosis={job.diagnosis} isFailure={job.status === 'failed'} />}
      {job.failed_items.length > 0 && <FailedItems items={job.failed_items} />}
      {!isFinal(job.status) && (
        <Section title="Progress">
          <JobProgress job={job} size="lg" />
          {job.progress?.message && <Text size="sm">{job.progress.message}</Text>}
        </Section>
      )}
      <Grid>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Section title="Steps">
            <Timeline job={job} />
          </Section>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Section title="Records over time">
            <Suspense fallback={<Text size="sm">Loading…</Text>}>
              <ProgressChart job={job} />
            </Suspense>
          </Section>
        </Grid.Col>
      </Grid>
      <Section title="Log">
        <Logs job={job} />
      </Section>
      <Grid>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Section title="What was asked">
            <Facts job={job} />
          </Section>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Section title="Compared with the one before">
            <Comparison job={job} />
          </Section>
        </Grid.Col>
      </Grid>
    </>
  );
}

function Diagnosis({
  diagnosis,
  isFailure,
}: {
  diagnosis: NonNullable<JobJson['diagnosis']>;
  isFailure: boolean;
}) {
  return (
    <Alert color={isFailure ? 'red' : 'gray'} mb="sm" title={diagnosis.summary} role="alert">
      <Text size="sm" className="as-written">
        {diagnosis.detail}
      </Text>
      <Text size="sm" mt="xs">
        <b>What to do:</b> {diagnosis.what_to_do}
      </Text>
      <Text size="xs" mt="xs">
        Code: <code>{diagnosis.code}</code>
      </Text>
    </Alert>
  );
}
