/** Jobs, targets and schedules as Postgres has them: every api process tells the same. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { countedKeys } from '../counted-as.ts';
import { readMaintenance } from '../db/maintenance.ts';
import type { Db } from '../db/schema.ts';
import {
  type ActiveCount,
  countActive,
  type JobTotal,
  listJobTotals,
  listUnderway,
  RUN_SECONDS,
  type Underway,
  WAIT_SECONDS,
} from '../db/totals.ts';
import { STEP_DEFAULTS } from '../domain/plan.ts';
import { stalledSeconds } from '../domain/stalled.ts';
import type { JobParams } from '../job-params.ts';
import { dueSince, readScheduleNumbers, type ScheduleNumbers } from '../temporal/overdue.ts';
import { storedHistogram, type StoredSeries } from './stored-histogram.ts';

/** All of one scrape, read once. */
export type JobNumbers = ScheduleNumbers & {
  readonly now: Date;
  readonly totals: readonly JobTotal[];
  readonly active: readonly ActiveCount[];
  readonly underway: readonly Underway[];
  readonly paused: boolean;
};

export async function readJobNumbers(db: Db, params: JobParams, now: Date): Promise<JobNumbers> {
  const [totals, active, underway, maintenance, schedules] = await Promise.all([
    listJobTotals(db, countedKeys(params)),
    countActive(db),
    listUnderway(db),
    readMaintenance(db),
    readScheduleNumbers(db, params),
  ]);
  return { now, totals, active, underway, paused: maintenance.paused, ...schedules };
}

const KEY = ['env', 'target'] as const;
const ACTION = [...KEY, 'action'] as const;
const TOTAL = [...ACTION, 'status', 'reason'] as const;
const SCHEDULE = ['schedule', ...KEY, 'action'] as const;

/**
 * Adds the metrics to a registry.
 * @param numbers of the scrape under way; undefined while Postgres is away: then none of these is told
 */
export function addJobMetrics(
  registry: Registry,
  params: JobParams,
  numbers: () => Promise<JobNumbers | undefined>,
): void {
  const registers = [registry];
  const total = (name: string, help: string, of: (row: JobTotal) => number) =>
    new Counter({
      name,
      help,
      labelNames: TOTAL,
      registers,
      async collect() {
        this.reset();
        for (const row of (await numbers())?.totals ?? []) this.inc(labelsOf(row), of(row));
      },
    });
  total('syncrator_jobs_ended_total', 'Jobs that ended, by how and why.', ({ jobs }) => jobs);
  total('syncrator_records_total', 'Records that ended jobs went through.', ({ records }) => records);
  registry.registerMetric(
    storedHistogram({
      name: 'syncrator_job_run_seconds',
      help: 'From the first step that ran to the end of the job.',
      bounds: RUN_SECONDS,
      read: async () =>
        withoutReason((await numbers())?.totals ?? [], (row) => ({
          sum: row.run_seconds,
          places: row.run_places,
        })),
    }),
  );
  registry.registerMetric(
    storedHistogram({
      name: 'syncrator_job_wait_seconds',
      help: 'From being asked for until somebody took the job: queue, lock and maintenance.',
      bounds: WAIT_SECONDS,
      read: async () =>
        withoutReason((await numbers())?.totals ?? [], (row) => ({
          sum: row.wait_seconds,
          places: row.wait_places,
        })),
    }),
  );

  const gauge = <const L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    values: () => Promise<readonly (readonly [labels: Record<L, string>, value: number])[]>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      async collect() {
        this.reset();
        for (const [labels, value] of await values()) this.set(labels, value);
      },
    });
  const ofActive = (of: (row: ActiveCount) => number) => async () =>
    ((await numbers())?.active ?? []).map(
      (row) =>
        [{ env: row.env, status: row.status, reason: row.reason, runner: row.runner }, of(row)] as const,
    );
  const ACTIVE = ['env', 'status', 'reason', 'runner'] as const;
  gauge(
    'syncrator_jobs_active',
    'Jobs that have not ended.',
    ACTIVE,
    ofActive(({ jobs }) => jobs),
  );
  gauge(
    'syncrator_jobs_active_oldest_seconds',
    'Since the oldest of them was asked for.',
    ACTIVE,
    ofActive(({ oldest }) => oldest),
  );
  gauge(
    'syncrator_target_last_success_timestamp_seconds',
    'When a job of this action of the target last completed, of the whole target; 0 if none ever did.',
    ACTION,
    async () =>
      ((await numbers())?.standings ?? []).map(
        ({ env, target, action, last_success_at: at }) =>
          [{ env, target, action }, (at?.getTime() ?? 0) / 1000] as const,
      ),
  );
  gauge(
    'syncrator_target_failures',
    'Failed jobs of this action of the target since one completed.',
    ACTION,
    async () =>
      ((await numbers())?.standings ?? []).map(
        ({ env, target, action, failures }) => [{ env, target, action }, failures] as const,
      ),
  );
  gauge(
    'syncrator_job_stalled_seconds',
    'Of running jobs whose program has reported: for how long it has been silent beyond STALLED_AFTER.',
    KEY,
    async () => {
      const found = await numbers();
      return (found?.underway ?? []).flatMap((job) =>
        job.status === 'running' && job.has_reported
          ? [[keyOf(job), stalledFor(job, found?.now ?? new Date(0))] as const]
          : [],
      );
    },
  );
  gauge(
    'syncrator_job_records',
    'Of active jobs: records that their programs went through so far.',
    KEY,
    async () =>
      ((await numbers())?.underway ?? []).flatMap((job) =>
        job.records === null ? [] : [[keyOf(job), job.records] as const],
      ),
  );
  gauge('syncrator_maintenance_paused', '1 while no job may begin.', [], async () => {
    const found = await numbers();
    return found ? [[{}, found.paused ? 1 : 0] as const] : [];
  });
  gauge(
    'syncrator_schedule_overdue_seconds',
    'Since the first firing that its action has not succeeded after; 0 where it has, or where nothing was due yet.',
    SCHEDULE,
    async () => {
      const found = await numbers();
      return found
        ? params.schedules.map((file) => [scheduleLabels(file), overdueOf(file, found)] as const)
        : [];
    },
  );
  gauge(
    'syncrator_schedule_paused',
    '1 while the schedule does not fire, as the workers saw it last.',
    SCHEDULE,
    async () => {
      const found = await numbers();
      return found
        ? params.schedules.map(
            (file) => [scheduleLabels(file), found.pauses.has(file.schedule.id) ? 1 : 0] as const,
          )
        : [];
    },
  );
}

type Scheduled = JobParams['schedules'][number];

function overdueOf(file: Scheduled, numbers: JobNumbers): number {
  const due = dueSince(file, numbers);
  return due === undefined ? 0 : Math.max(0, numbers.now.getTime() - due.getTime()) / 1000;
}

function stalledFor(job: Underway, now: Date): number {
  return stalledSeconds({
    status: job.status,
    heardAt: job.heard_at ?? undefined,
    now,
    afterSeconds: job.stalled_after ?? STEP_DEFAULTS.stalledAfterSeconds,
  });
}

function scheduleLabels({ schedule, env, target, parameters }: Scheduled) {
  return { schedule: schedule.id, env, target, action: parameters.action_name };
}

function keyOf({ env, target }: { env: string; target: string }) {
  return { env, target };
}

function labelsOf({ env, target, action, status, reason }: JobTotal) {
  return { env, target, action, status, reason };
}

/** Why a job ended matters little for how long it took, and each reason would be twenty series more. */
function withoutReason(
  totals: readonly JobTotal[],
  of: (row: JobTotal) => Pick<StoredSeries, 'sum' | 'places'>,
): StoredSeries[] {
  const added = new Map<string, StoredSeries>();
  for (const row of totals) {
    const { reason: _, ...labels } = labelsOf(row);
    const key = Object.values(labels).join('/');
    const { sum, places } = of(row);
    const before = added.get(key);
    added.set(key, {
      labels,
      sum: sum + (before?.sum ?? 0),
      places: places.map((jobs, place) => jobs + (before?.places[place] ?? 0)),
    });
  }
  return [...added.values()];
}
