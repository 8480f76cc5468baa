/** Jobs, targets and schedules as Postgres and Temporal have them: every api process tells the same. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { firstFirings } from '../db/firings.ts';
import { readMaintenance } from '../db/maintenance.ts';
import type { Db } from '../db/schema.ts';
import {
  type ActiveCount,
  countActive,
  type JobTotal,
  listJobTotals,
  listSilent,
  listStandings,
  RUN_SECONDS,
  type Silent,
  type Standing,
  WAIT_SECONDS,
} from '../db/totals.ts';
import type { JobParams } from '../job-params.ts';
import { overdueSeconds } from '../temporal/past-times.ts';
import type { ScheduleState } from '../temporal/schedules.ts';
import { storedHistogram } from './stored-histogram.ts';

/** All of one scrape, read once. */
export type JobNumbers = {
  readonly now: Date;
  readonly totals: readonly JobTotal[];
  readonly active: readonly ActiveCount[];
  readonly standings: readonly Standing[];
  readonly silent: readonly Silent[];
  readonly paused: boolean;
  readonly firstFirings: ReadonlyMap<string, Date>;
};

export async function readJobNumbers(db: Db, params: JobParams, now: Date): Promise<JobNumbers> {
  const [totals, active, silent, standings, maintenance, first] = await Promise.all([
    listJobTotals(db),
    countActive(db),
    listSilent(db),
    listStandings(db),
    readMaintenance(db),
    firstFirings(
      db,
      params.schedules.map(({ schedule }) => schedule.id),
    ),
  ]);
  return { now, totals, active, silent, standings, paused: maintenance.paused, firstFirings: first };
}

const KEY = ['env', 'target'] as const;
const TOTAL = [...KEY, 'action', 'status', 'reason'] as const;
const SCHEDULE = ['schedule', ...KEY, 'action'] as const;

/**
 * Adds the metrics to a registry.
 * @param numbers of the scrape under way; undefined while Postgres is away: then none of these is told
 * @param schedules of the scrape under way; undefined while Temporal is away
 */
export function addJobMetrics(
  registry: Registry,
  params: JobParams,
  numbers: () => Promise<JobNumbers | undefined>,
  schedules: () => Promise<ReadonlyMap<string, ScheduleState> | undefined>,
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
        ((await numbers())?.totals ?? []).map((row) => ({
          labels: labelsOf(row),
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
        ((await numbers())?.totals ?? []).map((row) => ({
          labels: labelsOf(row),
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
      (row) => [{ env: row.env, status: row.status, reason: row.reason }, of(row)] as const,
    );
  const ACTIVE = ['env', 'status', 'reason'] as const;
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
    'When a job of the target last completed; 0 if none ever did.',
    KEY,
    async () =>
      ((await numbers())?.standings ?? []).map(
        ({ env, target, last_success_at: at }) => [{ env, target }, (at?.getTime() ?? 0) / 1000] as const,
      ),
  );
  gauge(
    'syncrator_target_failures',
    'Failed jobs of the target since one completed, of its ten newest.',
    KEY,
    async () =>
      ((await numbers())?.standings ?? []).map(
        ({ env, target, failures }) => [{ env, target }, failures] as const,
      ),
  );
  gauge(
    'syncrator_job_silent_seconds',
    'Of running jobs: since their program reported last, or started.',
    KEY,
    async () =>
      ((await numbers())?.silent ?? []).map(
        ({ env, target, seconds }) => [{ env, target }, seconds] as const,
      ),
  );
  gauge('syncrator_maintenance_paused', '1 while no job may begin.', [], async () => {
    const found = await numbers();
    return found ? [[{}, found.paused ? 1 : 0] as const] : [];
  });
  gauge(
    'syncrator_schedule_overdue_seconds',
    'Since the first firing that the target has not succeeded after; 0 where it has, or where nothing was due yet.',
    SCHEDULE,
    async () => {
      const found = await numbers();
      return found
        ? params.schedules.map((file) => [scheduleLabels(file), overdueOf(file, found)] as const)
        : [];
    },
  );
  gauge('syncrator_schedule_paused', '1 while the schedule does not fire.', SCHEDULE, async () => {
    const states = await schedules();
    return params.schedules.flatMap((file) => {
      const state = states?.get(file.schedule.id);
      return state ? [[scheduleLabels(file), state.paused ? 1 : 0] as const] : [];
    });
  });
}

type Scheduled = JobParams['schedules'][number];

function overdueOf(
  { schedule, env, target }: Scheduled,
  { now, standings, firstFirings: first }: JobNumbers,
) {
  const success = standings.find((of) => of.env === env && of.target === target)?.last_success_at;
  // Before its first firing nothing was promised.
  const since = success ?? first.get(schedule.id);
  return since ? overdueSeconds(schedule, since, now) : 0;
}

function scheduleLabels({ schedule, env, target, parameters }: Scheduled) {
  return { schedule: schedule.id, env, target, action: parameters.action_name };
}

function labelsOf({ env, target, action, status, reason }: JobTotal) {
  return { env, target, action, status, reason };
}
