/** The api's routes as typed functions, for programs and for the page: `import { createClient } from 'syncrator/client'`. */
import type { AuditEntryJson } from '../api/audit.ts';
import type { BatchAnswerJson, BatchJob } from '../api/batch.ts';
import type { ExecutorsWord } from '../api/external.ts';
import type { ImportableDatasetJson } from '../api/importable-datasets.ts';
import type { JobJson } from '../api/job-schema.ts';
import type { MaintenanceEntryJson, MaintenanceJson } from '../api/maintenance.ts';
import type { MeJson } from '../api/me.ts';
import type { RenderedStepJson } from '../api/rendered-steps.ts';
import type { ReportPointJson } from '../api/report-points.ts';
import type { ResumedJson } from '../api/resume.ts';
import type { SchedulesJson } from '../api/schedule-schema.ts';
import type { DryRunJson, StartedJson } from '../api/start-answer.ts';
import type { RunBody } from '../api/starts.ts';
import type { TargetJson } from '../api/targets.ts';
import { followEvents, type FollowOptions } from './events.ts';
import { createHttp, type Http, reasonHeader, type Reply } from './http.ts';

export { Refused, Unreachable } from './http.ts';
export type {
  AuditEntryJson,
  BatchAnswerJson,
  BatchJob,
  DryRunJson,
  ExecutorsWord,
  ImportableDatasetJson,
  JobJson,
  MaintenanceEntryJson,
  MaintenanceJson,
  MeJson,
  ResumedJson,
  RenderedStepJson,
  ReportPointJson,
  RunBody,
  SchedulesJson,
  StartedJson,
  TargetJson,
};

const LOG_MS = 120_000;

export type Action = 'sync' | 'delta' | 'delete' | 'diff';

export type JobFilter = {
  readonly status?: readonly string[] | undefined;
  readonly operation?: readonly string[] | undefined;
  readonly target?: string | undefined;
  readonly env?: string | undefined;
  readonly ignoreCompleted?: boolean | undefined;
  /** ISO-8601. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** 1 to 100; 50 without. */
  readonly limit?: number | undefined;
};

export type JobPage = { readonly jobs: readonly JobJson[]; readonly next: string | undefined };

/** Times as ISO-8601; of what is left out, all. */
export type AuditFilter = {
  readonly [K in 'principal' | 'verb' | 'object' | 'since' | 'until']?: string | undefined;
} & { readonly refused?: boolean | undefined; readonly limit?: number | undefined };
export type AuditPage = { readonly entries: readonly AuditEntryJson[]; readonly next: string | undefined };

/** What a stream of events tells. */
export type LiveEvent =
  /** It is open: what changes from now on is told. Comes again each time it was cut and goes on. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'job'; readonly job: JobJson }
  | { readonly kind: 'maintenance'; readonly maintenance: MaintenanceJson }
  /** More has changed than the stream could carry: read everything anew. */
  | { readonly kind: 'reset' };

export type LogEvent = {
  readonly step: number;
  readonly attempt: number;
  /** Bytes from the log's beginning to those of this text, and to the ones behind them. */
  readonly offset: number;
  readonly end: number;
  readonly text: string;
};

/**
 * @param options.url as `http://127.0.0.1:8080`
 * @param options.token asked before each call, so that it can be renewed
 */
export function createClient(options: { url: string; token: () => Promise<string | undefined> }): Client {
  return clientOver(createHttp({ ...options, url: options.url.replace(/\/+$/, '') }));
}

export type Client = ReturnType<typeof clientOver>;

/** Every function throws Refused and Unreachable. A start with an idempotency key may be repeated. */
export function clientOver(http: Http) {
  const body = async <T>(reply: Promise<Reply<T>>): Promise<T> => (await reply).body;
  const get = <T>(route: string) => body(http.call<T>('GET', route));
  const post = <T>(route: string, json?: unknown, headers?: Record<string, string>) =>
    body(
      http.call<T>('POST', route, {
        ...(json === undefined ? {} : { json }),
        ...(headers ? { headers } : {}),
      }),
    );
  const keyed = (key: string | undefined) => (key === undefined ? undefined : { 'idempotency-key': key });
  return {
    listJobs: async (filter: JobFilter = {}): Promise<JobPage> => page(http, `/jobs${queryOf(filter)}`),
    /** @param next as a page gave it */
    nextJobs: (next: string): Promise<JobPage> => page(http, next),
    showJob: (id: number) => get<JobJson>(`/jobs/${id}`),
    /** Each is answered in its place; one that is refused keeps no other from being created. */
    createJobs: (jobs: readonly BatchJob[], idempotencyKey?: string) =>
      post<BatchAnswerJson>('/jobs', { jobs }, keyed(idempotencyKey)),
    /** What an executor of RUNNER=external says of its job. */
    updateJob: (id: number, word: ExecutorsWord) =>
      body(http.call<JobJson>('PUT', `/jobs/${id}`, { json: word })),
    /** @param reason for the audit */
    cancelJob: (id: number, reason?: string) =>
      body(http.call<JobJson>('DELETE', `/jobs/${id}`, { headers: reasonHeader(reason) })),
    /** @param reason for the audit */
    forceDeleteJob: (id: number, reason?: string) =>
      post<JobJson>(`/jobs/${id}/force-delete`, undefined, reasonHeader(reason)),
    /** A new job that goes on where a failed one stopped. */
    resumeJob: (id: number, idempotencyKey?: string) =>
      post<JobJson>(`/jobs/${id}/resume`, undefined, keyed(idempotencyKey)),
    resumeAll: () => post<ResumedJson[]>('/jobs/resume-all'),
    jobReports: (id: number) => get<ReportPointJson[]>(`/jobs/${id}/reports`),
    /** What the runner makes of each step; no secret in it. */
    jobManifest: (id: number) => get<RenderedStepJson[]>(`/jobs/${id}/manifest`),
    /** The whole log of one attempt; without `at` of all of them, one after the other. Takes two minutes at most. */
    readLog: (id: number, at?: { step: number; attempt: number }) =>
      http.text(`/jobs/${id}/logs?download${at ? `&step=${at.step}&attempt=${at.attempt}` : ''}`, {
        signal: AbortSignal.timeout(LOG_MS),
      }),
    dryRun: (action: Action, target: string, env: string) =>
      get<DryRunJson>(`/${action}/${part(target)}/${part(env)}`),
    start: (action: Action, target: string, env: string, idempotencyKey?: string) =>
      post<StartedJson>(`/${action}/${part(target)}/${part(env)}`, undefined, keyed(idempotencyKey)),
    dryRunOf: (run: RunBody) => post<DryRunJson>('/dryrun', run),
    run: (run: RunBody, idempotencyKey?: string) => post<StartedJson>('/run', run, keyed(idempotencyKey)),
    rollback: (target: string, env: string) => post<StartedJson>(`/rollback/${part(target)}/${part(env)}`),
    listTargets: () => get<TargetJson[]>('/targets'),
    showTarget: (name: string) => get<TargetJson>(`/targets/${part(name)}`),
    /** Newest first, with jobs of other targets whose manifest names it. */
    listTargetJobs: (name: string, filter: Omit<JobFilter, 'target'> = {}): Promise<JobPage> =>
      page(http, `/targets/${part(name)}/jobs${queryOf(filter)}`),
    listSchedules: () => get<SchedulesJson>('/schedules'),
    runSchedule: (id: string) => post<JobJson>(`/schedules/${part(id)}/run`),
    pauseSchedule: (id: string, note?: string) =>
      post<{ id: string; paused: boolean }>(`/schedules/${part(id)}/pause`, note ? { note } : {}),
    resumeSchedule: (id: string) => post<{ id: string; paused: boolean }>(`/schedules/${part(id)}/resume`),
    /** `skipped`: the first tar files that are no datasets, and why; `skippedCount`: how many there are. */
    listImportableDatasets: async (filter: { readonly hasMetadata?: boolean | undefined } = {}) => {
      const query = filter.hasMetadata === undefined ? '' : `?hasMetadata=${filter.hasMetadata}`;
      const { body, headers } = await http.call<ImportableDatasetJson[]>(
        'GET',
        `/importable-datasets${query}`,
      );
      const skipped = [...new URLSearchParams(headers.get('x-skipped') ?? '')].map(([file, why]) => ({
        file,
        why,
      }));
      return { datasets: body, skipped, skippedCount: Number(headers.get('x-skipped-count')) };
    },
    deleteImportableDataset: (name: string) =>
      body(http.call<{ message: string }>('DELETE', `/importable-datasets/${part(name)}`)),
    /** Who the token's bearer is, and what they may do. */
    me: () => get<MeJson>('/me'),
    readMaintenance: () => get<MaintenanceJson>('/maintenance-status'),
    setMaintenance: (paused: boolean, msg: string) =>
      post<MaintenanceJson>('/maintenance-status', { paused, msg }),
    listMaintenance: () => get<MaintenanceEntryJson[]>('/maintenance-history'),
    /** Who did what, newest first; for admins. */
    listAudit: async (filter: AuditFilter = {}): Promise<AuditPage> =>
      auditPage(http, `/audit${queryOf(filter)}`),
    /** @param next as a page gave it */
    nextAudit: (next: string): Promise<AuditPage> => auditPage(http, next),
    /** Every change of any job, and of the maintenance flag, from now on and without a gap. */
    async *live(follow: FollowOptions): AsyncGenerator<LiveEvent> {
      for await (const { event, data } of followEvents(http, '/events', follow)) {
        if (event === 'job') yield { kind: 'job', job: data as JobJson };
        if (event === 'maintenance') yield { kind: 'maintenance', maintenance: data as MaintenanceJson };
        if (event === 'ready' || event === 'reset') yield { kind: event };
      }
    },
    /** One job as it is and each time it changes, until it is final. */
    async *liveJob(id: number, follow: FollowOptions): AsyncGenerator<JobJson> {
      for await (const { event, data } of followEvents(http, `/jobs/${id}/events`, follow))
        if (event === 'job') yield data as JobJson;
    },
    /** A log from a byte of it on, or from its first line, until the job is final. */
    async *liveLog(
      id: number,
      at: { step: number; attempt: number; offset?: number },
      follow: FollowOptions,
    ): AsyncGenerator<LogEvent> {
      const route = `/jobs/${id}/logs?follow&step=${at.step}&attempt=${at.attempt}&offset=${at.offset ?? 0}`;
      for await (const { event, data } of followEvents(http, route, follow))
        if (event === 'log') yield data as LogEvent;
    },
  };
}

async function auditPage(http: Http, route: string): Promise<AuditPage> {
  const { body, next } = await http.call<AuditEntryJson[]>('GET', route);
  return { entries: body, next };
}

async function page(http: Http, route: string): Promise<JobPage> {
  const { body, next } = await http.call<JobJson[]>('GET', route);
  return { jobs: body, next };
}

function queryOf(filter: JobFilter): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(filter)) {
    const text = Array.isArray(value) ? value.join(',') : value === undefined ? '' : String(value);
    if (text !== '') query.set(key, text);
  }
  return query.size > 0 ? `?${query.toString()}` : '';
}

function part(text: string): string {
  return encodeURIComponent(text);
}
