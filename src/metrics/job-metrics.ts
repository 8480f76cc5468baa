/** Metrics of jobs, targets, losses and schedules, read from Postgres: every api process has the same values. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { allMetricLabels, declaredActions } from '../job-params/metric-labels.ts';
import { listWaiting, type LossNumbers } from '../db/losses/losses.ts';
import { readMaintenance } from '../db/maintenance.ts';
import type { Db } from '../db/schema.ts';
import { type Freshness, listFreshness } from '../db/views/target-states.ts';
import {
  type ActiveCount,
  countActive,
  type JobTotal,
  listJobTotals,
  listUnderway,
  RUN_SECONDS,
  type Underway,
  WAIT_SECONDS,
} from '../db/views/totals.ts';
import { noProgressAfter, STEP_DEFAULTS } from '../domain/plan.ts';
import { noProgressSeconds, stalledSeconds } from '../domain/stalled.ts';
import type { JobParams } from '../job-params/load.ts';
import { dueSince, readScheduleNumbers, type ScheduleNumbers } from '../engine/overdue.ts';
import { storedHistogram, type StoredSeries } from './stored-histogram.ts';

/** The numbers of one scrape, read once. */
export type JobNumbers = ScheduleNumbers & {
  readonly now: Date;
  readonly totals: readonly JobTotal[];
  readonly active: readonly ActiveCount[];
  readonly underway: readonly Underway[];
  readonly freshness: readonly Freshness[];
  readonly losses: readonly LossNumbers[];
  readonly paused: boolean;
};

export async function readJobNumbers(db: Db, params: JobParams, now: Date): Promise<JobNumbers> {
  const [totals, active, underway, freshness, losses, maintenance, schedules] = await Promise.all([
    listJobTotals(db, allMetricLabels(params)),
    countActive(db),
    listUnderway(db),
    listFreshness(db, declaredActions(params)),
    listWaiting(db),
    readMaintenance(db),
    readScheduleNumbers(db, params),
  ]);
  return { now, totals, active, underway, freshness, losses, paused: maintenance.paused, ...schedules };
}

const KEY = ['env', 'target'] as const;
const ACTION = [...KEY, 'action'] as const;
const TOTAL = [...ACTION, 'status', 'reason'] as const;
const SCHEDULE = ['schedule', ...KEY, 'action'] as const;

/** The numbers of the scrape under way; undefined while Postgres does not answer: the metrics then have no values. */
type Numbers = () => Promise<JobNumbers | undefined>;
type Values<L extends string> = readonly (readonly [labels: Record<L, string>, value: number])[];
/** Adds a gauge whose values are taken from the numbers of each scrape. */
type AddGauge = <const L extends string>(
  name: string,
  help: string,
  labelNames: readonly L[],
  values: (numbers: JobNumbers) => Values<L>,
) => void;

/** Adds all metrics of jobs, targets, losses and schedules to a registry. */
export function addJobMetrics(registry: Registry, params: JobParams, numbers: Numbers): void {
  addTotals(registry, numbers);
  const gauge = gaugesOf(registry, numbers);
  addActiveJobs(gauge);
  addTargets(gauge);
  addRemovals(gauge);
  addLosses(gauge);
  addRunningJobs(gauge);
  addSchedules(gauge, params);
}

function gaugesOf(registry: Registry, numbers: Numbers): AddGauge {
  return (name, help, labelNames, values) => {
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      async collect() {
        this.reset();
        const found = await numbers();
        if (found) for (const [labels, value] of values(found)) this.set(labels, value);
      },
    });
  };
}

function addTotals(registry: Registry, numbers: Numbers): void {
  const totals = async () => (await numbers())?.totals ?? [];
  const counter = (name: string, help: string, of: (row: JobTotal) => number) =>
    new Counter({
      name,
      help,
      labelNames: TOTAL,
      registers: [registry],
      async collect() {
        this.reset();
        for (const row of await totals()) this.inc(labelsOf(row), of(row));
      },
    });
  counter('syncrator_jobs_ended_total', 'Ended jobs by status and reason.', ({ jobs }) => jobs);
  counter('syncrator_records_total', 'Records that ended jobs processed.', ({ records }) => records);
  registry.registerMetric(
    storedHistogram({
      name: 'syncrator_job_run_seconds',
      help: 'Seconds from the start of the first step to the end of the job.',
      labelNames: [...ACTION, 'status'],
      bounds: RUN_SECONDS,
      read: async () =>
        withoutReason(await totals(), (row) => ({ sum: row.run_seconds, places: row.run_places })),
    }),
  );
  registry.registerMetric(
    storedHistogram({
      name: 'syncrator_job_wait_seconds',
      help: 'Seconds from the request of a job until a worker or executor took it.',
      labelNames: [...ACTION, 'status'],
      bounds: WAIT_SECONDS,
      read: async () =>
        withoutReason(await totals(), (row) => ({ sum: row.wait_seconds, places: row.wait_places })),
    }),
  );
}

function addActiveJobs(gauge: AddGauge): void {
  const labels = ['env', 'status', 'reason', 'runner'] as const;
  const ofActive =
    (of: (row: ActiveCount) => number) =>
    ({ active }: JobNumbers) =>
      active.map(
        (row) =>
          [{ env: row.env, status: row.status, reason: row.reason, runner: row.runner }, of(row)] as const,
      );
  const jobs = ofActive((row) => row.jobs);
  const oldest = ofActive((row) => row.oldest);
  gauge('syncrator_jobs_active', 'Jobs that have not ended.', labels, jobs);
  gauge('syncrator_jobs_active_oldest_seconds', 'Age of the oldest active job.', labels, oldest);
  gauge('syncrator_maintenance_paused', '1 during maintenance: no job starts.', [], ({ paused }) => [
    [{}, paused ? 1 : 0],
  ]);
}

function addTargets(gauge: AddGauge): void {
  gauge(
    'syncrator_target_last_success_timestamp_seconds',
    'Time of the last completed job of this action on the whole target; 0 if none has completed.',
    ACTION,
    ({ standings }) =>
      standings.map(({ env, target, action, last_success_at: at }) => [
        { env, target, action },
        (at?.getTime() ?? 0) / 1000,
      ]),
  );
  gauge(
    'syncrator_target_failures',
    'Failed jobs of this action on the target since the last completed one.',
    ACTION,
    ({ standings }) =>
      standings.map(({ env, target, action, failures }) => [{ env, target, action }, failures]),
  );
  gauge(
    'syncrator_target_watermark_timestamp_seconds',
    'Time from which the next delta of the target reads, as reported by the last completed job.',
    KEY,
    ({ freshness }) =>
      freshness.flatMap((target) =>
        target.watermark === null ? [] : [[keyOf(target), target.watermark.getTime() / 1000] as const],
      ),
  );
  gauge(
    'syncrator_target_listing_unproven',
    '1 if the last listing of the source was not proven complete, so that no record was deleted.',
    KEY,
    ({ freshness }) =>
      freshness.flatMap((target) =>
        target.listing === null ? [] : [[keyOf(target), target.listing === 'unproven' ? 1 : 0] as const],
      ),
  );
}

/** Apart from the success of a job: additions may arrive every night while removals wait. */
function addRemovals(gauge: AddGauge): void {
  gauge(
    'syncrator_target_removals_fresh_timestamp_seconds',
    'Time as of which all removals of the target are done: its newest proven listing that lacked no record which is held now.',
    KEY,
    ({ freshness }) =>
      freshness.flatMap((target) =>
        target.removals_fresh_at === null
          ? []
          : [[keyOf(target), target.removals_fresh_at.getTime() / 1000] as const],
      ),
  );
}

function addLosses(gauge: AddGauge): void {
  gauge(
    'syncrator_losses_waiting',
    'Records that are held and wait for an answer, without the kept ones.',
    KEY,
    ({ losses }) => losses.map((loss) => [keyOf(loss), loss.count]),
  );
  gauge(
    'syncrator_losses_oldest_seconds',
    'Age of the loss of the target; absent while nothing waits for an answer.',
    KEY,
    ({ losses, now }) =>
      losses
        .filter(({ count }) => count > 0)
        .map((loss) => [keyOf(loss), Math.max(0, now.getTime() - loss.born_at.getTime()) / 1000]),
  );
}

function addRunningJobs(gauge: AddGauge): void {
  gauge(
    'syncrator_job_stalled_seconds',
    'Seconds that a running job which has reported before has been silent beyond STALLED_AFTER.',
    KEY,
    ({ underway, now }) =>
      underway
        .filter((job) => job.status === 'running' && job.has_reported)
        .map((job) => [keyOf(job), stalledFor(job, now)]),
  );
  gauge(
    'syncrator_job_no_progress_seconds',
    'Seconds that a running job has reported the same values beyond NO_PROGRESS_AFTER; the longest of a family of targets.',
    KEY,
    ({ underway, now }) =>
      underway
        .filter((job) => job.status === 'running' && job.progressed_at !== null)
        .map((job) => [keyOf(job), withoutProgressFor(job, now)] as const)
        .toSorted(([, one], [, other]) => one - other), // the last value of equal labels is kept
  );
  gauge('syncrator_job_records', 'Records processed so far by an active job.', KEY, ({ underway }) =>
    underway.flatMap((job) => (job.records === null ? [] : [[keyOf(job), job.records] as const])),
  );
}

function addSchedules(gauge: AddGauge, params: JobParams): void {
  const each = (valueOf: (file: Scheduled, numbers: JobNumbers) => number) => (numbers: JobNumbers) =>
    params.schedules.map((file) => [scheduleLabels(file), valueOf(file, numbers)] as const);
  gauge(
    'syncrator_schedule_overdue_seconds',
    'Seconds since the first firing without a later success of its action; 0 if none is overdue.',
    SCHEDULE,
    each(overdueOf),
  );
  gauge(
    'syncrator_schedule_refused',
    '1 if Temporal rejects the schedule; GET /schedules has the error.',
    SCHEDULE,
    each(({ schedule }, { refusals }) => (refusals.has(schedule.id) ? 1 : 0)),
  );
  gauge(
    'syncrator_schedule_paused',
    '1 if the schedule is paused, as last seen by a worker.',
    SCHEDULE,
    each(({ schedule }, { pauses }) => (pauses.has(schedule.id) ? 1 : 0)),
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

function withoutProgressFor(job: Underway, now: Date): number {
  return noProgressSeconds({
    status: job.status,
    progressedAt: job.progressed_at ?? undefined,
    now,
    afterSeconds: job.no_progress_after ?? noProgressAfter(job.runner),
    waitingFor: job.waiting_for,
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

/** Adds up the reasons: a reason says little about a duration, and each would add twenty series. */
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
