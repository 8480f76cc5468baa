/** Queries of the page, each with its key, so that live events can update cached responses. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  MutationCache,
  QueryCache,
  QueryClient,
  queryOptions,
} from '@tanstack/react-query';
import type { JobJson, LossJson, PlanJson } from '../../client/client.ts';
import type { Action, AuditFilter, JobFilter, LossFilter, RunBody } from '../../client/client.ts';
import type { PlanKind } from '../../domain/change-plan.ts';
import { isRecord, Refused } from '../../client/http.ts';
import { isForbidden } from './refetch.ts';
import { client, recheckSession, http } from './session.ts';

function recheckOn401(error: Error): void {
  if (error instanceof Refused && error.status === 401) recheckSession();
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: recheckOn401 }),
  // A wrong password is a 401 too, but then there is no session to recheck.
  mutationCache: new MutationCache({ onError: recheckOn401 }),
  defaultOptions: {
    queries: {
      // Live events carry most changes; this covers the data that they do not carry.
      staleTime: 30_000,
      retry: (failures, error) => failures < 3 && !(error instanceof Refused && error.status < 500),
      // A browser that thinks it is offline may still reach a server on its own machine; if not, the error shows.
      networkMode: 'always',
      refetchOnWindowFocus: (query) => !isForbidden(query),
      refetchOnReconnect: (query) => !isForbidden(query),
    },
    mutations: { networkMode: 'always' },
  },
});

export const queries = {
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
  /** The previous job of the same target, env and action; null without one. */
  previous: (job: Pick<JobJson, 'id' | 'target' | 'env' | 'job_type' | 'created_at'>) =>
    queryOptions({
      queryKey: ['previous', job.id],
      queryFn: async () => {
        const { target, env, job_type, created_at: until } = job;
        const page = await client.listJobs({ target, env, operation: [job_type], until, limit: 1 });
        return page.jobs[0] ?? null;
      },
    }),
  losses: (filter: LossFilter) =>
    infiniteQueryOptions({
      queryKey: ['losses', 'list', filter],
      queryFn: ({ pageParam }) => (pageParam ? client.nextLosses(pageParam) : client.listLosses(filter)),
      initialPageParam: '',
      getNextPageParam: (page) => page.next,
    }),
  /** For the header and the overview. Polled, because no event tells of answers of other users. */
  waitingLosses: () =>
    queryOptions({
      queryKey: ['losses', 'waiting'],
      queryFn: async () => (await client.listLosses({ status: 'waiting', limit: 100 })).losses,
      refetchInterval: 60_000,
    }),
  loss: (id: number) =>
    queryOptions({
      queryKey: ['losses', 'one', id],
      queryFn: () => client.showLoss(id),
      refetchInterval: 15_000,
    }),
  /** Read anew only once the set has changed or another job has told it: until then its records are the same. */
  lossRecords: ({ id, digest, job_id: job, pinned }: LossJson, part: string) =>
    infiniteQueryOptions({
      queryKey: ['loss records', id, { digest, job, pinned, part }],
      queryFn: ({ pageParam }) =>
        pageParam ? client.nextLossRecords(id, pageParam) : client.lossRecords(id, { id: part }),
      initialPageParam: '',
      getNextPageParam: (page) => page.next,
      placeholderData: keepPreviousData,
      staleTime: Infinity,
    }),
  /** A job tells its story once; it may be forgotten later. */
  story: (jobId: number) =>
    queryOptions({ queryKey: ['story', jobId], queryFn: () => client.storyOfJob(jobId), retry: false }),
  plan: (id: number) =>
    queryOptions({
      queryKey: ['plans', 'one', id],
      queryFn: () => client.showPlan(id),
      refetchInterval: 15_000,
    }),
  /** A plan never changes; only a record that is forgotten loses its content. */
  planRecords: ({ id, digest, born_at: at }: PlanJson, kind: PlanKind, part: string) =>
    infiniteQueryOptions({
      queryKey: ['plan records', id, { digest, at, kind, part }],
      queryFn: ({ pageParam }) =>
        pageParam ? client.nextPlanRecords(id, pageParam) : client.planRecords(id, { kind, id: part }),
      initialPageParam: '',
      getNextPageParam: (page) => page.next,
      placeholderData: keepPreviousData,
    }),
  targets: () => queryOptions({ queryKey: ['targets'], queryFn: client.listTargets }),
  schedules: () =>
    queryOptions({
      queryKey: ['schedules'],
      queryFn: client.listSchedules,
      // Temporal often answers again within seconds; a page that says it does not should not say so for longer.
      refetchInterval: ({ state }) => (state.data?.temporal === 'unreachable' ? 5_000 : 30_000),
    }),
  /** Polled, because an admin may change permissions at any time. */
  me: () => queryOptions({ queryKey: ['me'], queryFn: client.me, refetchInterval: 60_000 }),
  /** Polled, because no event tells of files. For operators. */
  params: () => queryOptions({ queryKey: ['params'], queryFn: client.readParams, refetchInterval: 15_000 }),
  maintenance: () => queryOptions({ queryKey: ['maintenance'], queryFn: client.readMaintenance }),
  maintenanceHistory: () =>
    queryOptions({ queryKey: ['maintenance', 'history'], queryFn: client.listMaintenance }),
  audit: (filter: AuditFilter) =>
    infiniteQueryOptions({
      queryKey: ['audit', filter],
      queryFn: ({ pageParam }) => (pageParam ? client.nextAudit(pageParam) : client.listAudit(filter)),
      initialPageParam: '',
      getNextPageParam: (page) => page.next,
      // No event announces new audit entries.
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
      queryFn: async () => openApiOf(await http.json('/openapi.json')),
      staleTime: Infinity,
    }),
};

/** The part of the OpenAPI document from which the start form is built. */
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

/** @throws Error for a document without schemas */
function openApiOf(document: unknown): OpenApi {
  if (!isOpenApi(document)) throw new Error('/openapi.json is not an OpenAPI document with schemas');
  return document;
}

function isOpenApi(value: unknown): value is OpenApi {
  return isRecord(value) && isRecord(value['components']) && isRecord(value['components']['schemas']);
}
