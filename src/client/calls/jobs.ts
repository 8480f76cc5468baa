/** Calls about jobs: lists, one job, its logs and reports, and what ends or repeats it. */
import type { paths } from '../api-types.ts';
import { type Answer, type Http, nextPage, reasonHeader, unparsed } from '../http.ts';
import { filled, flag } from '../query.ts';
import type { BatchJob, ExecutorsWord, JobJson } from '../types.ts';

const LOG_MS = 120_000;

export type JobFilter = {
  readonly status?: readonly string[] | undefined;
  readonly operation?: readonly string[] | undefined;
  readonly target?: string | undefined;
  readonly env?: string | undefined;
  readonly ignoreCompleted?: boolean | undefined;
  /** ISO-8601. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** 1 to 100; 50 by default. */
  readonly limit?: number | undefined;
};

export type JobPage = { readonly jobs: readonly JobJson[]; readonly next: string | undefined };

export function jobCalls(http: Http) {
  const { call } = http;
  return {
    listJobs: async (filter: JobFilter = {}): Promise<JobPage> =>
      pageOf(await call((routes) => routes.GET('/jobs', { params: { query: queryOf(filter) } }))),
    /** @param next `next` of a page of jobs */
    nextJobs: async (next: string): Promise<JobPage> => {
      const { pathname, search } = new URL(next, 'http://page');
      const querySerializer = () => search;
      const name = /^\/targets\/([^/]+)\/jobs$/.exec(pathname)?.[1];
      if (name === undefined) return pageOf(await call((routes) => routes.GET('/jobs', { querySerializer })));
      const path = { name: decodeURIComponent(name) };
      return pageOf(
        await call((routes) => routes.GET('/targets/{name}/jobs', { params: { path }, querySerializer })),
      );
    },
    /** Lists the jobs of a target, newest first, with jobs of other targets whose manifest names it. */
    listTargetJobs: async (name: string, filter: Omit<JobFilter, 'target'> = {}): Promise<JobPage> => {
      const params = { path: { name }, query: queryOf(filter) };
      return pageOf(await call((routes) => routes.GET('/targets/{name}/jobs', { params })));
    },
    showJob: async (id: number) =>
      (await call((routes) => routes.GET('/jobs/{id}', { params: { path: { id } } }))).data,
    /** Creates many jobs. Each has its own answer, in order; a refused one does not stop the others. */
    createJobs: async (jobs: readonly BatchJob[], idempotencyKey?: string) => {
      const params = { header: keyHeader(idempotencyKey) };
      return (await call((routes) => routes.POST('/jobs', { params, body: { jobs: [...jobs] } }))).data;
    },
    /** Reports the state of a job of RUNNER=external, as its executor. */
    updateJob: async (id: number, word: ExecutorsWord) =>
      (await call((routes) => routes.PUT('/jobs/{id}', { params: { path: { id } }, body: word }))).data,
    /** @param reason kept in the audit */
    cancelJob: async (id: number, reason?: string) => {
      const params = { path: { id }, header: reasonHeader(reason) };
      return (await call((routes) => routes.DELETE('/jobs/{id}', { params }))).data;
    },
    /** @param reason kept in the audit */
    forceDeleteJob: async (id: number, reason?: string) => {
      const params = { path: { id }, header: reasonHeader(reason) };
      return (await call((routes) => routes.POST('/jobs/{id}/force-delete', { params }))).data;
    },
    /** Starts a new job that continues where a failed one stopped. */
    resumeJob: async (id: number, idempotencyKey?: string) => {
      const params = { path: { id }, header: keyHeader(idempotencyKey) };
      return (await call((routes) => routes.POST('/jobs/{id}/resume', { params }))).data;
    },
    resumeAll: async () => (await call((routes) => routes.POST('/jobs/resume-all'))).data,
    jobReports: async (id: number) =>
      (await call((routes) => routes.GET('/jobs/{id}/reports', { params: { path: { id } } }))).data,
    /** The manifests that the runner makes of the steps, without secrets. */
    jobManifest: async (id: number) =>
      (await call((routes) => routes.GET('/jobs/{id}/manifest', { params: { path: { id } } }))).data,
    /** Reads the whole log of one attempt, or of all attempts in order without `at`, within two minutes. */
    readLog: async (id: number, at?: { step: number; attempt: number }) =>
      await readLog(http, { id, query: { download: 'true', ...at } }, (response) => response.text()),
    /** Reads the log of the last step, or of all steps, as the bytes that were written, within two minutes. */
    readLogBytes: async (id: number, of: 'last step' | 'all steps') =>
      await readLog(
        http,
        { id, query: of === 'all steps' ? { download: 'true' } : {} },
        async (response) => new Uint8Array(await response.arrayBuffer()),
      ),
  };
}

/** @returns headers under which a repeated start or batch has the first one's answer */
export function keyHeader(key: string | undefined): { 'idempotency-key'?: string } {
  return key === undefined ? {} : { 'idempotency-key': key };
}

type LogQuery = NonNullable<paths['/jobs/{id}/logs']['get']['parameters']['query']>;

async function readLog<T>(
  http: Http,
  { id, query }: { id: number; query: LogQuery },
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const params = { path: { id }, query };
  const { data } = await http.call(
    (routes) => unparsed(routes.GET('/jobs/{id}/logs', { params, parseAs: 'stream' }), read),
    AbortSignal.timeout(LOG_MS),
  );
  return data;
}

type JobQuery = NonNullable<paths['/jobs']['get']['parameters']['query']>;

function queryOf({ status, operation, ignoreCompleted, ...fields }: JobFilter): JobQuery {
  return filled({
    ...fields,
    status: status && [...status],
    operation: operation && [...operation],
    ignoreCompleted: flag(ignoreCompleted),
  });
}

function pageOf({ data, response }: Answer<JobJson[]>): JobPage {
  return { jobs: data, next: nextPage(response) };
}
