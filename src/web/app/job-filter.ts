/** Which jobs a list shows, decided for one job the way `GET /jobs` decides it. Pure. */
import type { JobFilter } from '../../client/client.ts';
import type { JobJson } from '../../api/job-schema.ts';
import { isFinal } from '../../domain/status.ts';

export function matches(filter: JobFilter, job: JobJson): boolean {
  const { status, operation, target, env, ignoreCompleted, since, until } = filter;
  if (
    status &&
    !status.includes(job.status) &&
    !(job.status_reason !== null && status.includes(job.status_reason))
  )
    return false;
  if (operation && !operation.includes(job.job_type)) return false;
  if (target !== undefined && target !== job.target) return false;
  if (env !== undefined && env !== job.env) return false;
  if (ignoreCompleted === true && isFinal(job.status)) return false;
  if (since !== undefined && Date.parse(job.created_at) < Date.parse(since)) return false;
  return until === undefined || Date.parse(job.created_at) < Date.parse(until);
}

/** Newest first: `job` put in its place, changed in it, or taken out, as it fits now. The same list if nothing changes. */
export function withJob(
  jobs: readonly JobJson[],
  job: JobJson,
  { fits, isFirstPage }: { fits: boolean; isFirstPage: boolean },
): readonly JobJson[] {
  const at = jobs.findIndex(({ id }) => id === job.id);
  const old = jobs[at];
  if (old) {
    if (!fits) return jobs.toSpliced(at, 1);
    return old.version < job.version ? jobs.toSpliced(at, 1, job) : jobs;
  }
  if (!fits || !isFirstPage) return jobs;
  // Older than all that the first page holds: its place is on a later one.
  const before = jobs.findIndex(({ id }) => id < job.id);
  if (before === -1) return jobs.length === 0 ? [job] : jobs;
  return jobs.toSpliced(before, 0, job);
}
