/** Row of one job in the list. */
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { JobJson } from '../../client/client.ts';
import { recordsOf, tookOf } from '../../client/format.ts';
import { isFinal } from '../../domain/status.ts';
import { Ago, useNow } from '../parts/clock.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';

export const COLUMNS = [
  'Job',
  'Target',
  'Env',
  'Action',
  'Status',
  'Records',
  'Took',
  'Requested',
  'By',
] as const;

export const JobRow = memo(function JobRow({ job, at, top }: { job: JobJson; at: number; top: number }) {
  const id = String(job.id);
  const percent = job.progress?.percent ?? null;
  return (
    <div
      role="row"
      aria-rowindex={at + 2}
      className="jobs-row jobs-line"
      style={{ transform: `translateY(${top}px)` }}
    >
      <div role="cell">
        <Link to="/jobs/$id" params={{ id }}>
          {id}
        </Link>
      </div>
      <div role="cell">{job.target}</div>
      <div role="cell">{job.env}</div>
      <div role="cell">{job.job_type}</div>
      <div role="cell" title={job.diagnosis?.summary ?? job.status_detail ?? undefined}>
        <StatusBadge job={job} />
      </div>
      <div role="cell" className="figures">
        {recordsOf(job.progress)}
        {!isFinal(job.status) && percent !== null && ` (${percent.toFixed(0)} %)`}
      </div>
      <div role="cell" className="figures">
        {isFinal(job.status) ? tookOf(job) : <ElapsedTime job={job} />}
      </div>
      <div role="cell" className="figures">
        <Ago time={job.created_at} />
      </div>
      <div role="cell" title={`${job.trigger}, ${job.requested_by}`}>
        {job.requested_by}
      </div>
    </div>
  );
});

function ElapsedTime({ job }: { job: JobJson }) {
  const now = useNow();
  return <>{tookOf(job, Math.max(now, Date.parse(job.started_at ?? job.created_at)))}</>;
}
