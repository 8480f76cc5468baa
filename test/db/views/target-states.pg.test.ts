/** The metrics of jobs from Postgres: how each action stands, what is late, and in how many series. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Kysely, sql } from 'kysely';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { metricLabels } from '../../../src/job-params/metric-labels.ts';
import { databaseTime } from '../../../src/db/clock.ts';
import { claimJob } from '../../../src/db/jobs/claim.ts';
import { connect } from '../../../src/db/connect.ts';
import { recordExecutorUpdate } from '../../../src/db/jobs/executor-updates.ts';
import { finishJob } from '../../../src/db/jobs/finish.ts';
import { up as standingsUp } from '../../../src/db/migrations/0013-standings.ts';
import { up as refusedUp } from '../../../src/db/migrations/0017-refused-and-progress.ts';
import { writePause } from '../../../src/db/schedules/pauses.ts';
import { resetBaseline, writeBaselines } from '../../../src/db/schedules/baselines.ts';
import type { Db } from '../../../src/db/schema.ts';
import { storeReport } from '../../../src/db/jobs/reports.ts';
import { beginStep } from '../../../src/db/jobs/steps.ts';
import { submitJob } from '../../../src/db/jobs/submit.ts';
import { listTargetStates } from '../../../src/db/views/target-states.ts';
import type { RunnerKind } from '../../../src/domain/job.ts';
import { shareOf } from '../../../src/domain/log-chunks.ts';
import { type JobParams, loadJobParams } from '../../../src/job-params/load.ts';
import { createLog } from '../../../src/log.ts';
import { addJobMetrics, readJobNumbers } from '../../../src/metrics/job-metrics.ts';
import { createApiMetrics } from '../../../src/metrics/api-metrics.ts';
import { connectTemporal } from '../../../src/temporal/connect.ts';
import { noticeMissedSchedules } from '../../../src/engine/notifications.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { paramsFile, writeParams } from '../../support/params-files.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-standings-'));
/**
 * No server listens there: the metrics of jobs need no Temporal. Not closed: a retry of its client would fail on
 * that.
 */
const temporal = connectTemporal({ address: '127.0.0.1:1', namespace: 'default' });
const log = createLog({ name: 'test', level: 'fatal' });
const NIGHTLY = 'dev.avo.sync';

let database: TestDatabase;
let db: Db;
let params: JobParams;

beforeAll(async () => {
  database = await createDatabase();
  db = connect(database.url, { max: 5, applicationName: 'test', onError: () => undefined });
  const family = 'RUNNER=external\nTARGET_PATTERN=[A-Z_0-9]+\n';
  params = await loadJobParams(
    writeParams(dir, [
      paramsFile({ target: 'avo', action: 'sync', more: 'SCHEDULE=30 2 * * *\n' }),
      paramsFile({ target: 'avo', action: 'delta' }),
      paramsFile({ target: 'datasets', action: 'SET_STATUS', command: null, more: family }),
    ]),
  );
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  await sql`TRUNCATE jobs, targets, job_totals, standings, schedule_promises, schedule_pauses,
    schedule_firings, notices, proven_listings CASCADE`.execute(db);
});

/** The series of jobs in a scrape, or in such a text. */
async function scrape(text?: string): Promise<Map<string, number>> {
  const registry = new Registry();
  const numbers = readJobNumbers(db, params, databaseTime(db));
  addJobMetrics(registry, params, () => numbers);
  const lines = (text ?? (await registry.metrics()))
    .split('\n')
    .filter((line) => line.startsWith('syncrator_'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

async function submitted(of: {
  target: string;
  name: string;
  action?: string;
  options?: string;
  runner?: RunnerKind;
}) {
  const { target, name, action = name, options = '', runner = 'process' } = of;
  const parameters = { action_name: name, action, is_tag: 'latest', options, mam_main_query: null };
  const result = await submitJob(db, {
    env: 'dev',
    target,
    runner,
    parameters,
    steps: [],
    uid: randomUUID(),
    trigger: 'api',
    requestedBy: 'test',
    counted: metricLabels(params, { env: 'dev', target }, parameters),
  });
  if (result.kind !== 'created') throw new Error(result.kind);
  return result.job;
}

const DIAGNOSIS = { code: 'delete_guard', summary: '', detail: '', what_to_do: '' };

async function ended(
  kind: 'completed' | 'failed',
  of: { name: string; action?: string; options?: string },
): Promise<void> {
  const job = await submitted({ target: 'avo', ...of });
  const run = { runId: randomUUID(), runStartedAt: new Date() };
  await claimJob(db, job, run, false);
  const outcome = kind === 'completed' ? { kind } : { kind, diagnosis: DIAGNOSIS };
  expect(await finishJob(db, { jobId: job.id, runId: run.runId, outcome })).toMatchObject({ status: kind });
}

const DAY = 86_400;
const AVO = 'env="dev",target="avo"';
const overdue = async () =>
  (await scrape()).get(`syncrator_schedule_overdue_seconds{schedule="${NIGHTLY}",${AVO},action="sync"}`);
const failures = async (action: string) =>
  (await scrape()).get(`syncrator_target_failures{${AVO},action="${action}"}`);
/** Makes the reconciler's first sight of it so much older. */
async function promisedFor(days: number): Promise<void> {
  await writeBaselines(db, new Map([[NIGHTLY, 'x']]));
  await sql`UPDATE schedule_promises SET since = now() - make_interval(days => ${days})`.execute(db);
}

test('an action that fails each night is late and fails in a row, whatever else of its target succeeds', async () => {
  await promisedFor(6);
  for (let night = 1; night <= 3; night++) {
    await ended('failed', { name: 'sync' });
    await ended('completed', { name: 'delta' });
    await ended('completed', { name: 'rollback' });
    await ended('completed', { name: 'sync', action: 'delete' }); // from POST /run, so not a sync
    expect(await failures('sync')).toBe(night);
  }
  expect(await failures('delta')).toBe(0);
  expect(await overdue()).toBeGreaterThan(4 * DAY);
  // The target as a whole shows its last completed job.
  expect((await listTargetStates(db))[0]?.last_success_at).toBeInstanceOf(Date);
  await ended('completed', { name: 'sync' });
  expect([await failures('sync'), await overdue()]).toEqual([0, 0]);
});

test('an upgrade takes over how actions stand, and since when schedules fire', async () => {
  for (const kind of ['completed', 'failed', 'failed'] as const) await ended(kind, { name: 'sync' });
  await ended('completed', { name: 'delta' });
  const standings = async () => (await sql`SELECT * FROM standings ORDER BY action`.execute(db)).rows;
  const before = await standings();
  await sql`INSERT INTO schedule_firings (schedule, nominal_time, outcome)
    VALUES (${NIGHTLY}, now() - interval '6 days', 'skipped')`.execute(db);
  for (const statement of [
    'DROP FUNCTION job_stands CASCADE',
    'DROP TABLE standings, schedule_promises',
    'ALTER TABLE jobs DROP COLUMN counted_target, DROP COLUMN counted_action',
  ])
    await sql.raw(statement).execute(db);
  const untyped: unknown = db;
  for (const up of [standingsUp, refusedUp]) await up(untyped as Kysely<unknown>);
  expect(await standings()).toEqual(before);
  await sql`UPDATE standings SET last_success_at = NULL`.execute(db);
  const late = await overdue();
  expect(late).toBeGreaterThan(4 * DAY);
  // The worker's first look at the declarations changes nothing of it.
  await writeBaselines(db, new Map([[NIGHTLY, 'x']]));
  expect(await overdue()).toBeGreaterThanOrEqual(late ?? 0);
});

test('a job for some items only leaves the target as late as it was', async () => {
  await promisedFor(6);
  await ended('completed', { name: 'sync', options: '-n 5 --item a' });
  expect(await overdue()).toBeGreaterThan(4 * DAY);
});

test('a schedule that never fired is late from when it was created, changed or resumed', async () => {
  expect(await overdue()).toBe(0); // no worker has seen it yet
  await promisedFor(6);
  expect(await overdue()).toBeGreaterThan(4 * DAY);
  await writeBaselines(db, new Map([[NIGHTLY, 'x']]));
  expect(await overdue()).toBeGreaterThan(4 * DAY);
  await writeBaselines(db, new Map([[NIGHTLY, 'other words']]));
  expect(await overdue()).toBe(0);
  await promisedFor(6);
  await resetBaseline(db, NIGHTLY);
  expect(await overdue()).toBe(0);
  await promisedFor(6);
  await writeBaselines(db, new Map());
  await writeBaselines(db, new Map([[NIGHTLY, 'x']]));
  expect(await overdue()).toBe(0);
});

test('without Temporal a pause is still shown, and a missed schedule is noticed unless it is paused', async () => {
  const noticed = async () =>
    (await sql`SELECT FROM notices WHERE event = 'freshness_missed'`.execute(db)).rows;
  const paused = async () => {
    const all = await scrape(await metrics.scrape());
    expect(all.get('syncrator_dependency_up{dependency="temporal"}')).toBe(0);
    return all.get(`syncrator_schedule_paused{schedule="${NIGHTLY}",${AVO},action="sync"}`);
  };
  const metrics = createApiMetrics({ db, temporal, params, log });
  await promisedFor(6);
  await writePause(db, NIGHTLY, 'by a test');
  expect(await paused()).toBe(1);
  await noticeMissedSchedules({ db, params });
  expect(await noticed()).toHaveLength(0);
  await writePause(db, NIGHTLY, undefined);
  expect(await paused()).toBe(0);
  await noticeMissedSchedules({ db, params });
  await noticeMissedSchedules({ db, params });
  expect(await noticed()).toHaveLength(1);
});

test('a job that its executor has not begun is counted under its runner', async () => {
  await submitted({ target: 'INCOME', name: 'SET_STATUS', runner: 'external' });
  const all = await scrape();
  expect(all.get('syncrator_jobs_active{env="dev",status="queued",reason="",runner="external"}')).toBe(1);
});

test('a family of targets counts as one, with its failures in a row', async () => {
  const end = async (target: string, status: 'completed' | 'failed') => {
    const { id } = await submitted({ target, name: 'SET_STATUS', runner: 'external' });
    await recordExecutorUpdate(db, {
      id,
      word: { status },
      keep: shareOf(1_000),
      principal: 'test',
    });
  };
  for (const target of ['INCOME', 'WEALTH', 'AGE']) await end(target, 'failed');
  const family = 'env="dev",target="datasets",action="SET_STATUS"';
  expect((await scrape()).get(`syncrator_target_failures{${family}}`)).toBe(3);
  await end('CITIES', 'completed');
  const all = await scrape();
  expect(all.get(`syncrator_target_failures{${family}}`)).toBe(0);
  expect(all.get(`syncrator_jobs_ended_total{${family},status="failed",reason="external"}`)).toBe(3);
});

test('a family of targets has one no-progress metric: that of the job silent for longest', async () => {
  for (const [target, hours] of [
    ['INCOME', 9],
    ['WEALTH', 8],
    ['AGE', 1],
  ] as const) {
    const { id } = await submitted({ target, name: 'SET_STATUS', runner: 'external' });
    await recordExecutorUpdate(db, { id, word: { status: 'busy' }, keep: shareOf(1_000), principal: 'test' });
    await sql`UPDATE jobs SET progressed_at = now() - make_interval(hours => ${hours}) WHERE id = ${id}`.execute(
      db,
    );
  }
  const told = [...(await scrape())].filter(([name]) => name.startsWith('syncrator_job_no_progress_seconds'));
  expect(told.map(([name]) => name)).toEqual([
    'syncrator_job_no_progress_seconds{env="dev",target="datasets"}',
  ]);
  expect(Math.round((told[0]?.[1] ?? 0) / 60)).toBe(3 * 60); // beyond six hours
});

test('a target has metrics of its watermark, its listing and its removals once a job has reported them', async () => {
  const watermark = `syncrator_target_watermark_timestamp_seconds{${AVO}}`;
  const unproven = `syncrator_target_listing_unproven{${AVO}}`;
  const told = async (facts: object, action = 'sync') => {
    const job = await submitted({ target: 'avo', name: action });
    const run = { runId: randomUUID(), runStartedAt: new Date() };
    await claimJob(db, job, run, false);
    const ref = { jobId: job.id, step: 0, attempt: 1 };
    await beginStep(db, { ...ref, runId: run.runId, action, name: randomUUID() });
    await storeReport(db, ref, { seq: 1, phase: 'done', ...facts });
    await finishJob(db, { jobId: job.id, runId: run.runId, outcome: { kind: 'completed' } });
    const all = await scrape();
    return [all.get(watermark), all.get(unproven)];
  };
  const removals = async () =>
    (await scrape()).get(`syncrator_target_removals_fresh_timestamp_seconds{${AVO}}`);
  expect(await told({})).toEqual([undefined, undefined]);
  expect(await told({ listing: 'unproven' })).toEqual([undefined, 1]);
  expect(await removals()).toBeUndefined();
  expect(await told({ watermark: '2026-11-22T00:00:00.000Z', listing: 'complete' })).toEqual([1795305600, 0]);
  const fresh = await removals();
  expect(fresh).toBeGreaterThan(0);
  expect(await told({ listing: 'unproven' }, 'delete')).toEqual([1795305600, 1]);
  expect(await removals()).toBe(fresh);
  expect(await told({ watermark: null })).toEqual([undefined, 1]);
  await sql`INSERT INTO targets (env, target, watermark, listing)
    SELECT 'dev', 'gone' || n, now(), 'complete' FROM generate_series(1, 1000) n`.execute(db);
  expect([...(await scrape()).keys()].filter((key) => key.includes('gone'))).toEqual([]);
});

test('the number of series follows from job_params, not from the names in use', {
  timeout: 60_000,
}, async () => {
  const before = (await scrape()).size;
  // Counted by previous versions, or no longer declared.
  await sql`INSERT INTO job_totals SELECT 'dev', 'DATASET_' || n, 'SET_STATUS', 'completed', '', 1, 1, 1, 1,
    ARRAY[0,1,0,0,0,0,0,0], ARRAY[0,1,0,0,0,0,0,0] FROM generate_series(1, 15000) n`.execute(db);
  await sql`INSERT INTO standings SELECT 'dev', 'DATASET_' || n, 'SET_STATUS', NULL, 5
    FROM generate_series(1, 15000) n`.execute(db);
  expect((await scrape()).size).toBe(before);
  for (let n = 0; n < 20; n++) await ended('failed', { name: `word-${n}`, action: 'sync' });
  await ended('failed', { name: 'sync' });
  const all = await scrape();
  expect(
    all.get(`syncrator_jobs_ended_total{${AVO},action="other",status="failed",reason="delete_guard"}`),
  ).toBe(20);
  // Two totals, two histograms of ten lines, last success and failures, of `sync` and `other`; these are not
  // declared.
  expect(all.size - before).toBe(2 * (2 + 2 * 10) + 2);
});
