/** Page of one job: status, diagnosis, progress, steps, log, parameters, comparison with the previous job. */
import { Grid, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Suspense } from 'react';
import type { JobJson } from '../../client/client.ts';
import { STORY } from '../../domain/action.ts';
import { isFinal } from '../../domain/status.ts';
import { lazyPart } from '../app/lazy-part.tsx';
import { queries } from '../app/queries.ts';
import { NotFound } from '../app/not-found.tsx';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { JobProgress } from '../parts/job-progress.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { PlanSection } from '../plan/plan-section.tsx';
import { Comparison } from './comparison.tsx';
import { DataFacts } from './data-facts.tsx';
import { Diagnosis } from './diagnosis.tsx';
import { Facts } from './facts.tsx';
import { FailedItems } from './failed-items.tsx';
import { JobActions } from './job-actions.tsx';
import { JobStatusLine } from './job-status-line.tsx';
import { Logs } from './logs.tsx';
import { NextStart } from './next-start.tsx';
import { RollbackEffect } from './rollback-effect.tsx';
import { Section } from '../parts/section.tsx';
import { UnusualFigures } from '../parts/unusual-figures.tsx';
import { StoryOfJob } from '../story/story-of-job.tsx';
import { StatusDetail, StalledAlert } from './status-alerts.tsx';
import { Timeline } from './timeline.tsx';
import { Warnings } from './warnings.tsx';

const ProgressChart = lazyPart(async () => (await import('./progress-chart.tsx')).ProgressChart, 'chart');

export function JobPage() {
  const id = Number(useParams({ from: '/jobs/$id' }).id);
  const job = useQuery({ ...queries.job(id), enabled: Number.isSafeInteger(id) && id > 0 });
  if (!Number.isSafeInteger(id) || id < 1) return <NotFound />;
  return (
    <QueryBoundary query={job} what={`job ${id}`}>
      {(shown) => <JobView job={shown} key={shown.id} />}
    </QueryBoundary>
  );
}

function JobView({ job }: { job: JobJson }) {
  return (
    <>
      <PageHead title={`Job ${job.id}: ${job.job_type} of ${job.target} in ${job.env}`}>
        <JobActions job={job} />
      </PageHead>
      <JobStatusLine job={job} />
      <StatusDetail job={job} />
      <StalledAlert job={job} />
      <NextStart job={job} />
      {job.diagnosis && <Diagnosis diagnosis={job.diagnosis} isFailure={job.status === 'failed'} />}
      <Warnings warnings={job.warnings} />
      <UnusualFigures figures={job.unusual} />
      {job.rollback_preview && (
        <Section title="Rollback preview">
          <RollbackEffect preview={job.rollback_preview} />
        </Section>
      )}
      {job.plan_id === job.id && <PlanSection id={job.id} />}
      <DataFacts job={job} />
      {job.parameters.action === STORY && <StoryOfJob job={job} />}
      {job.failed_items.length > 0 && <FailedItems job={job} />}
      {!isFinal(job.status) && (
        <Section title="Progress">
          <JobProgress job={job} size="lg" />
          {job.progress?.message && <Text size="sm">{job.progress.message}</Text>}
        </Section>
      )}
      <StepsAndRecords job={job} />
      <Section title="Log">
        <Logs job={job} />
      </Section>
      {job.parameters.action !== STORY && <StoryOfJob job={job} />}
      <RequestAndComparison job={job} />
    </>
  );
}

function StepsAndRecords({ job }: { job: JobJson }) {
  return (
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
  );
}

function RequestAndComparison({ job }: { job: JobJson }) {
  return (
    <Grid>
      <Grid.Col span={{ base: 12, lg: 6 }}>
        <Section title="Request">
          <Facts job={job} />
        </Section>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 6 }}>
        <Section title="Compared with the previous job">
          <Comparison job={job} />
        </Section>
      </Grid.Col>
    </Grid>
  );
}
