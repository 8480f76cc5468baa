/** Metrics of an api process: jobs, its own requests and event streams, and whether Postgres and Temporal answer. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { databaseTime } from '../db/clock.ts';
import type { Db } from '../db/schema.ts';
import {
  CREDENTIAL_KINDS,
  type CredentialKind,
  LOGIN_OUTCOMES,
  type LoginOutcome,
} from '../domain/logins.ts';
import type { JobParams } from '../job-params/load.ts';
import type { Log } from '../log.ts';
import { type Temporal, within } from '../temporal/connect.ts';
import { addParamsMetric } from './params-metric.ts';
import { addJobMetrics, type JobNumbers, readJobNumbers } from './job-metrics.ts';

export type ApiMetrics = {
  /** @param route as it is declared, `/jobs/{id}`; never a path with its values */
  readonly answered: (request: { method: string; route: string; status: number; seconds: number }) => void;
  /** From the change in Postgres to its event on the way to the listeners. */
  readonly eventSent: (lagSeconds: number) => void;
  readonly streams: (open: number) => void;
  /** Counts a login attempt. */
  readonly loggedIn: (outcome: LoginOutcome) => void;
  /** Counts a rejected credential of an unknown caller. */
  readonly credentialRefused: (kind: CredentialKind) => void;
  /** All metrics in the text format. */
  readonly scrape: () => Promise<string>;
};

/** Prometheus gives up after 10 s. A server that has not answered by then counts as down. */
const POSTGRES_MS = 5_000;
const TEMPORAL_MS = 1_500;

export function createApiMetrics({
  db,
  temporal,
  params,
  log,
  registry = new Registry(),
}: {
  db: Db;
  temporal: Temporal;
  params: JobParams;
  log: Log;
  registry?: Registry;
}): ApiMetrics {
  collectDefaultMetrics({ register: registry });
  const { requests, lag, streams, logins, credentials } = addRequestMetrics(registry);

  /** The reads of the current scrape. */
  let numbers: Promise<JobNumbers | undefined> = Promise.resolve(undefined);
  let isTemporalUp: Promise<boolean | undefined> = Promise.resolve(undefined);
  const orAway = <T>(what: string, work: Promise<T>): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      log.warn({ err: error }, `metrics: no answer from ${what}`);
      return undefined;
    });
  addJobMetrics(registry, params, () => numbers);
  new Gauge({
    name: 'syncrator_dependency_up',
    help: '1 if the server answered during this scrape.',
    labelNames: ['dependency'],
    registers: [registry],
    async collect() {
      this.set({ dependency: 'postgres' }, (await numbers) ? 1 : 0);
      this.set({ dependency: 'temporal' }, (await isTemporalUp) ? 1 : 0);
    },
  });

  addParamsMetric(registry, params);

  return {
    answered({ seconds, ...labels }) {
      requests.observe(labels, seconds);
    },
    eventSent: (seconds) => lag.observe(seconds),
    streams: (open) => streams.set(open),
    loggedIn: (outcome) => logins.inc({ outcome }),
    credentialRefused: (kind) => credentials.inc({ kind }),
    async scrape() {
      const now = databaseTime(db);
      numbers = orAway('Postgres', inTime(POSTGRES_MS, readJobNumbers(db, params, now)));
      isTemporalUp = orAway(
        'Temporal',
        within(TEMPORAL_MS, temporal.connection, async () => {
          await temporal.connection.workflowService.getSystemInfo({});
          return true;
        }),
      );
      return await registry.metrics();
    },
  };
}

/** Metrics of the api's own requests, event streams and logins. */
function addRequestMetrics(registry: Registry) {
  const registers = [registry];
  const requests = new Histogram({
    name: 'syncrator_http_request_seconds',
    help: 'Duration of requests to the api; of an event stream until its first byte.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2, 10],
    registers,
  });
  const lag = new Histogram({
    name: 'syncrator_event_lag_seconds',
    help: 'Seconds from a change in Postgres until its event is sent to listeners.',
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const streams = new Gauge({ name: 'syncrator_event_streams', help: 'Open event streams.', registers });

  const logins = new Counter({
    name: 'syncrator_logins_total',
    help: 'Login attempts; delayed: not checked after too many bad ones, busy: not checked because too many were being checked.',
    labelNames: ['outcome'],
    registers,
  });
  const credentials = new Counter({
    name: 'syncrator_refused_credentials_total',
    help: 'Rejected tokens and secrets of unknown callers.',
    labelNames: ['kind'],
    registers,
  });
  // Start at 0: rate() needs a sample before the first increase.
  for (const outcome of LOGIN_OUTCOMES) logins.inc({ outcome }, 0);
  for (const kind of CREDENTIAL_KINDS) credentials.inc({ kind }, 0);
  return { requests, lag, streams, logins, credentials };
}

async function inTime<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer for ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
