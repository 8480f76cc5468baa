/** What the page asks the server for: each question with its key, so that live events can change the answers. */
import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import type { JobJson } from '../../api/job-schema.ts';
import type { Action, AuditFilter, JobFilter, RunBody } from '../../client/client.ts';
import { Refused } from '../../client/http.ts';
import { client, http } from './session.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Live events tell of changes; this is for what they do not carry.
      staleTime: 30_000,
      retry: (failures, error) => failures < 3 && !(error instanceof Refused && error.status < 500),
      // A browser that thinks it is offline may still reach a server on its own machine; if not, that is told.
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

export const ask = {
  job: (id: number) => queryOptions({ queryKey: ['job', id], queryFn: () => client.showJob(id) }),
  reports: (id: number) => queryOptions({ queryKey: ['reports', id], queryFn: () => client.jobReports(id) }),
  manifest: (id: number) =>
    queryOptions({ queryKey: ['manifest', id], queryFn: () => client.jobManifest(id), staleTime: Infinity }),
  jobs: (filter: JobFilter) =>
    infiniteQueryOptions({
      queryKey: ['jobs', filter],
      queryFn: ({ pageParam }) => (pageParam ? client.nextJobs(pageParam) : client.listJobs(filter)),
      initialPageParam: '',
      getNextPageParam: (page) => page.next,
    }),
  active: () =>
    queryOptions({
      queryKey: ['active'],
      queryFn: async () => (await client.listJobs({ ignoreCompleted: true, limit: 100 })).jobs,
    }),
  /** The job of the same kind that came before one, if any. */
  previous: (job: Pick<JobJson, 'id' | 'target' | 'env' | 'job_type' | 'created_at'>) =>
    queryOptions({
      queryKey: ['previous', job.id],
      queryFn: async () => {
        const { target, env, job_type, created_at: until } = job;
        const page = await client.listJobs({ target, env, operation: [job_type], until, limit: 1 });
        return page.jobs[0] ?? null;
      },
    }),
  targets: () => queryOptions({ queryKey: ['targets'], queryFn: client.listTargets }),
  schedules: () =>
    queryOptions({ queryKey: ['schedules'], queryFn: client.listSchedules, refetchInterval: 30_000 }),
  /** Asked again now and then: it may be changed at any time. */
  me: () => queryOptions({ queryKey: ['me'], queryFn: client.me, refetchInterval: 60_000 }),
  maintenance: () => queryOptions({ queryKey: ['maintenance'], queryFn: client.readMaintenance }),
  maintenanceHistory: () =>
    queryOptions({ queryKey: ['maintenance', 'history'], queryFn: client.listMaintenance }),
  audit: (filter: AuditFilter) =>
    infiniteQueryOptions({
      queryKey: ['audit', filter],
      queryFn: ({ pageParam }) => (pageParam ? client.nextAudit(pageParam) : client.listAudit(filter)),
      initialPageParam: '',
      getNextPageParam: (page) => page.next,
      // No event tells of a line.
      staleTime: 0,
    }),
  dryRun: (run: RunBody) =>
    queryOptions({ queryKey: ['dry run', run], queryFn: () => client.dryRunOf(run), retry: false }),
  declared: (action: Action, target: string, env: string) =>
    queryOptions({
      queryKey: ['declared', action, target, env],
      queryFn: () => client.dryRun(action, target, env),
      retry: false,
    }),
  document: () =>
    queryOptions({
      queryKey: ['openapi.json'],
      queryFn: async () => (await http.call<OpenApi>('GET', '/openapi.json')).body,
      staleTime: Infinity,
    }),
};

/** As much of the API's own description as the start form is made of. */
export type OpenApi = {
  readonly components: {
    readonly schemas: Readonly<Record<string, ObjectSchema | undefined>>;
  };
};
export type ObjectSchema = {
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly example?: Readonly<Record<string, unknown>>;
};
export type FieldSchema = {
  readonly description?: string;
  readonly pattern?: string;
  readonly maxLength?: number;
};
