/** Event streams: every change of jobs and maintenance, one job to its end, and logs as they grow. */
import { type FollowOptions, followEvents } from '../events.ts';
import { type Http, isRecord } from '../http.ts';
import type { JobJson, MaintenanceJson } from '../types.ts';

export type LiveEvent =
  /** The stream is open and reports every change from now on. Comes again after each interruption. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'job'; readonly job: JobJson }
  | { readonly kind: 'maintenance'; readonly maintenance: MaintenanceJson }
  /** More has changed than the stream can carry: read everything again. */
  | { readonly kind: 'reset' };

export type LogEvent = {
  readonly step: number;
  readonly attempt: number;
  /** Bytes before this text in its log, and bytes up to its end. */
  readonly offset: number;
  readonly end: number;
  readonly text: string;
};

export function liveCalls(http: Http) {
  return {
    /** Yields every change of any job and of the maintenance flag from now on, without a gap. */
    async *live(follow: FollowOptions): AsyncGenerator<LiveEvent> {
      const events = followEvents(
        http,
        (routes, headers) => routes.GET('/events', { headers, parseAs: 'stream' }),
        follow,
      );
      for await (const { event, data } of events) {
        if (event === 'job' && isJob(data)) yield { kind: 'job', job: data };
        if (event === 'maintenance' && isMaintenance(data)) yield { kind: 'maintenance', maintenance: data };
        if (event === 'ready' || event === 'reset') yield { kind: event };
      }
    },
    /** Yields a job as it is and after each change, until it is final. */
    async *liveJob(id: number, follow: FollowOptions): AsyncGenerator<JobJson> {
      const params = { path: { id } };
      const events = followEvents(
        http,
        (routes, headers) => routes.GET('/jobs/{id}/events', { params, headers, parseAs: 'stream' }),
        follow,
      );
      for await (const { event, data } of events) if (event === 'job' && isJob(data)) yield data;
    },
    /** Yields the log of one attempt, from a byte or from its beginning, until the job is final. */
    liveLog: (
      id: number,
      { step, attempt, offset = 0 }: { step: number; attempt: number; offset?: number },
      follow: FollowOptions,
    ): AsyncGenerator<LogEvent> => followLog(http, id, { step, attempt, offset }, follow),
    /** Yields the logs of the last step and of all that follow it, until the job is final. */
    liveLogs: (id: number, follow: FollowOptions): AsyncGenerator<LogEvent> =>
      followLog(http, id, {}, follow),
  };
}

async function* followLog(
  http: Http,
  id: number,
  at: { step?: number; attempt?: number; offset?: number },
  follow: FollowOptions,
): AsyncGenerator<LogEvent> {
  const params = { path: { id }, query: { follow: 'true' as const, ...at } };
  const events = followEvents(
    http,
    (routes, headers) => routes.GET('/jobs/{id}/logs', { params, headers, parseAs: 'stream' }),
    follow,
  );
  for await (const { event, data } of events) if (event === 'log' && isLog(data)) yield data;
}

// The OpenAPI document types an event's data as text: it is recognised by the fields that tell it apart.

function isJob(data: unknown): data is JobJson {
  return hasNumbers(data, ['id', 'version']);
}

function isMaintenance(data: unknown): data is MaintenanceJson {
  return hasNumbers(data, ['running_jobs']) && typeof data['paused'] === 'boolean';
}

function isLog(data: unknown): data is LogEvent {
  return hasNumbers(data, ['step', 'attempt', 'offset', 'end']) && typeof data['text'] === 'string';
}

function hasNumbers(data: unknown, names: readonly string[]): data is Readonly<Record<string, unknown>> {
  return isRecord(data) && names.every((name) => typeof data[name] === 'number');
}
