/** Matches one job against a filter exactly as `GET /jobs` does, and keeps lists sorted. Pure. */
import type { JobFilter, JobPage } from '../../client/client.ts';
import type { JobJson } from '../../client/client.ts';
import { isFinal } from '../../domain/status.ts';

export function matches(filter: JobFilter, job: JobJson): boolean {
  const { status, operation, target, env, ignoreCompleted, since, until } = filter;
  // The reason and the phase of a finished job are out of date.
  const words = isFinal(job.status) ? [job.status] : [job.status, job.status_reason, job.phase];
  if (status && !words.some((word) => word !== null && status.includes(word))) return false;
  if (operation && !operation.includes(job.job_type)) return false;
  if (target !== undefined && target !== job.target) return false;
  if (env !== undefined && env !== job.env) return false;
  if (ignoreCompleted === true && isFinal(job.status)) return false;
  if (since !== undefined && Date.parse(job.created_at) < Date.parse(since)) return false;
  return until === undefined || Date.parse(job.created_at) < Date.parse(until);
}

type Place = { readonly fits: boolean; readonly mayEnter: boolean };

/** Inserts, updates or removes `job` in a list sorted newest first. Returns the same list if nothing changes. */
export function withJob(
  jobs: readonly JobJson[],
  job: JobJson,
  { fits, mayEnter }: Place,
): readonly JobJson[] {
  const at = jobs.findIndex(({ id }) => id === job.id);
  const old = jobs[at];
  if (old) {
    if (old.version > job.version) return jobs;
    if (!fits) return jobs.toSpliced(at, 1);
    return old.version < job.version ? jobs.toSpliced(at, 1, job) : jobs;
  }
  if (!fits || !mayEnter) return jobs;
  const before = jobs.findIndex(({ id }) => id < job.id);
  return before === -1 ? [...jobs, job] : jobs.toSpliced(before, 0, job);
}

/** `withJob` over pages. A job older than all of them enters the last page only if no page follows. */
export function withJobInPages(pages: readonly JobPage[], job: JobJson, fits: boolean): readonly JobPage[] {
  const among = pages.findIndex(({ jobs }) => (jobs.at(-1)?.id ?? Infinity) <= job.id);
  const home = among === -1 && pages.at(-1)?.next === undefined ? pages.length - 1 : among;
  const changed = pages.map((page, at) => {
    const jobs = withJob(page.jobs, job, { fits, mayEnter: at === home });
    return jobs === page.jobs ? page : { ...page, jobs };
  });
  return changed.every((page, at) => page === pages[at]) ? pages : changed;
}
