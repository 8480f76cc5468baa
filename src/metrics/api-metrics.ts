/** What an api process tells Prometheus: the jobs, its own requests and event streams, and whether its servers answer. */
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { databaseTime } from '../db/clock.ts';
import type { Db } from '../db/schema.ts';
import type { JobParams } from '../job-params.ts';
import type { Log } from '../log.ts';
import { type Temporal, within } from '../temporal/connect.ts';
import { addJobMetrics, type JobNumbers, readJobNumbers } from './job-metrics.ts';

export type ApiMetrics = {
  /** @param route as it is declared, `/jobs/{id}`; never a path with its values */
  readonly answered: (request: { method: string; route: string; status: number; seconds: number }) => void;
  /** From the change in Postgres to its event on the way to the listeners. */
  readonly eventSent: (lagSeconds: number) => void;
  readonly streams: (open: number) => void;
  /** All of it, in the text format. */
  readonly scrape: () => Promise<string>;
};

/** Prometheus gives up after 10 s; what has not answered by then is told as away. */
const POSTGRES_MS = 5_000;
const TEMPORAL_MS = 1_500;

export function createApiMetrics({
  db,
  temporal,
  params,
  log,
}: {
  db: Db;
  temporal: Temporal;
  params: JobParams;
  log: Log;
}): ApiMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'syncrator_http_request_seconds',
    help: 'Requests to the api; event streams count until they begin.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2, 10],
    registers,
  });
  const lag = new Histogram({
    name: 'syncrator_event_lag_seconds',
    help: 'From a change in Postgres to its event on the way to listeners.',
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const streams = new Gauge({ name: 'syncrator_event_streams', help: 'Open event streams.', registers });

  /** Of the scrape under way. */
  let numbers: Promise<JobNumbers | undefined> = Promise.resolve(undefined);
  let isTemporalUp: Promise<boolean | undefined> = Promise.resolve(undefined);
  const orAway = <T>(what: string, work: Promise<T>): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      log.warn({ err: error }, `metrics: ${what} does not answer`);
      return undefined;
    });
  addJobMetrics(registry, params, () => numbers);
  new Gauge({
    name: 'syncrator_dependency_up',
    help: '1 if it answered at this scrape.',
    labelNames: ['dependency'],
    registers,
    async collect() {
      this.set({ dependency: 'postgres' }, (await numbers) ? 1 : 0);
      this.set({ dependency: 'temporal' }, (await isTemporalUp) ? 1 : 0);
    },
  });

  return {
    answered({ seconds, ...labels }) {
      requests.observe(labels, seconds);
    },
    eventSent: (seconds) => lag.observe(seconds),
    streams: (open) => streams.set(open),
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
