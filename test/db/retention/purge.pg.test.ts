/** Expired rows are deleted with everything that belongs to them; rows that others need stay. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../../src/db/jobs/checkpoints.ts';
import { connect } from '../../../src/db/connect.ts';
import { noticeMissed } from '../../../src/db/notices.ts';
import { whilePurging } from '../../../src/db/retention/purge.ts';
import { listReportPoints } from '../../../src/db/views/report-points.ts';
import type { Db } from '../../../src/db/schema.ts';
import { planPurge, purge } from '../../../src/engine/retention.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

const DAY = 86_400;

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await createDatabase();
  db = connect(database.url, { max: 5, applicationName: 'test', onError: () => undefined });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, sync_jobs, schedule_firings, notices, job_totals
    CASCADE`.execute(db);
});

type Made = {
  readonly target?: string;
  /** Days since it was created and, a moment later, ended. */
  readonly days: number;
  readonly status?: 'completed' | 'failed' | 'deleted' | 'running';
  readonly resumes?: number | null;
  readonly external?: boolean;
};

/** A job with a step, a log, a report, a sync job, an Idempotency-Key and a firing. */
async function make({ target = 'a', days, status = 'failed', resumes = null, external = false }: Made) {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO jobs (uid, env, target, action_name, action, is_tag, options, runner, steps_spec, spec_hash,
      trigger, requested_by, resumes, status, created_at, started_at, finished_at)
    VALUES (${randomUUID()}, 'dev', ${target}, 'sync', 'sync', 'latest', '', ${external ? 'external' : 'process'},
      '[]', '', 'api', 'test', ${resumes}, ${status}, now() - make_interval(days => ${days}),
      now() - make_interval(days => ${days}),
      CASE WHEN ${status} <> 'running' THEN now() - make_interval(days => ${days}) + interval '1 minute' END)
    RETURNING id`.execute(db);
  const id = rows[0]?.id ?? 0;
  if (external) await sql`INSERT INTO job_log VALUES (${id}, 0, 30, now(), 'said')`.execute(db);
  else {
    await sql`INSERT INTO steps (job_id, step, attempt, action, name, log_bytes, log_state)
      VALUES (${id}, 0, 1, 'sync', ${randomUUID()}, 8, 'complete')`.execute(db);
    await sql`INSERT INTO step_logs VALUES (${id}, 0, 1, 0, 8, 'printed\n')`.execute(db);
    await sql`INSERT INTO reports (job_id, step, attempt, seq, phase) VALUES (${id}, 0, 1, 1, 'reading')`.execute(
      db,
    );
    await sql`INSERT INTO sync_jobs (job_id, step, attempt, type) VALUES (${id}, 0, 1, 'sync')`.execute(db);
  }
  await sql`INSERT INTO idempotency_keys (principal, key, body_hash, job_id, deduplicated)
    VALUES ('test', ${String(id)}, '', ${id}, false)`.execute(db);
  await sql`INSERT INTO schedule_firings (schedule, nominal_time, job_id, outcome)
    VALUES ('s', now() - make_interval(days => ${days}) + ${id} * interval '1 second', ${id}, 'started')`.execute(
    db,
  );
  if (status === 'completed')
    await sql`INSERT INTO targets VALUES ('dev', ${target}, ${id}, now())
      ON CONFLICT (env, target) DO UPDATE SET last_success_job_id = ${id}`.execute(db);
  return id;
}

const idsOf = async (table: 'jobs' | 'step_logs' | 'job_log') => {
  const column = table === 'jobs' ? sql`id` : sql`job_id`;
  const { rows } = await sql<{
    id: number;
  }>`SELECT DISTINCT ${column} AS id FROM ${sql.table(table)} ORDER BY 1`.execute(db);
  return rows.map(({ id }) => id);
};

describe('by age', () => {
  test('exactly the old jobs are purged: never active ones, newest successes, or jobs that younger ones resume', async () => {
    const job = fc.record({
      target: fc.constantFrom('a', 'b', 'c'),
      days: fc.integer({ min: 0, max: 20 }),
      status: fc.constantFrom('completed', 'failed', 'deleted', 'running'),
      resumesOneBefore: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { maxLength: 25 }),
        fc.integer({ min: 1, max: 20 }),
        async (jobs, days) => {
          await sql`TRUNCATE jobs, targets, schedule_firings, idempotency_keys CASCADE`.execute(db);
          const made: { id: number; target: string; days: number; status: string; resumes: number | null }[] =
            [];
          const active = new Set<string>();
          for (const one of jobs.toSorted((x, y) => y.days - x.days)) {
            if (one.status === 'running' && active.has(one.target)) continue;
            if (one.status === 'running') active.add(one.target);
            const before = made.at(-1 - one.resumesOneBefore);
            const isFree = before?.status === 'failed' && !made.some(({ resumes }) => resumes === before.id);
            const resumes = one.resumesOneBefore > 0 && isFree ? before.id : null;
            made.push({ ...one, resumes, id: await make({ ...one, resumes }) });
          }
          const newest = new Set(
            ['a', 'b', 'c'].map(
              (target) => made.findLast((one) => one.target === target && one.status === 'completed')?.id,
            ),
          );
          const isOver = (one: (typeof made)[number]) =>
            one.status !== 'running' && !newest.has(one.id) && one.days > days;
          const heir = (id: number) => made.find(({ resumes }) => resumes === id);
          const hasLog = made.filter((one) => {
            const next = heir(one.id);
            return !(isOver(one) && (!next || (next.status !== 'running' && next.days > days)));
          });
          const staysFor = (one: (typeof made)[number]): boolean => {
            const next = heir(one.id);
            return !isOver(one) || (next !== undefined && staysFor(next));
          };
          const keepLogs = { logsSeconds: days * DAY, jobsSeconds: undefined };
          const all = { logsSeconds: days * DAY, jobsSeconds: days * DAY };
          const plan = await planPurge(db, all);
          expect(plan.logs).toBe(made.length - hasLog.length);
          expect(plan.logBytes).toBe(plan.logs * 8);
          expect(await purge(db, keepLogs)).toMatchObject({ logs: plan.logs, jobs: 0 });
          expect(await idsOf('step_logs')).toEqual(hasLog.map(({ id }) => id));
          expect(await idsOf('jobs')).toEqual(made.map(({ id }) => id));
          const kept = made.filter(staysFor).map(({ id }) => id);
          expect(await purge(db, all)).toMatchObject({ logs: 0, jobs: made.length - kept.length });
          expect(await idsOf('jobs')).toEqual(kept);
          expect((await planPurge(db, all)).jobs).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('more expired jobs than fit one batch are all removed, with progress in the log', async () => {
    for (let n = 0; n < 450; n++) await make({ days: 10, target: `t${n % 7}`, external: n % 3 === 0 });
    await make({ days: 1 });
    const told: number[] = [];
    const purged = await purge(
      db,
      { logsSeconds: 5 * DAY, jobsSeconds: 5 * DAY },
      { onProgress: ({ logs, jobs }) => told.push(logs + jobs) },
    );
    expect(purged).toMatchObject({ logs: 450, jobs: 450 });
    expect(told.length).toBeGreaterThan(450);
    expect(await idsOf('jobs')).toHaveLength(1);
  });

  test('a job is purged with all its records; totals and the outcomes of its firings stay', async () => {
    await make({ days: 10, status: 'completed' });
    const old = await make({ days: 9 });
    const success = await make({ days: 8, status: 'completed' });
    await sql`INSERT INTO job_totals VALUES ('dev', 'a', 'sync', 'failed', '', 3, 0, 0, 0, '{}', '{}')`.execute(
      db,
    );
    await sql`INSERT INTO sync_jobs (type, start_time) VALUES ('outside', now() - interval '9 days'),
      ('outside', now())`.execute(db);
    await sql`INSERT INTO audit (principal, verb, object, at) VALUES ('eve', 'start', 'old', now() - interval '9 days'),
      ('eve', 'start', 'new', now())`.execute(db);
    expect(await purge(db, { logsSeconds: undefined, jobsSeconds: 5 * DAY })).toMatchObject({
      jobs: 2,
      records: 3,
    });
    expect(await idsOf('jobs')).toEqual([success]);
    for (const table of ['steps', 'reports', 'step_logs', 'idempotency_keys'])
      expect(
        (await sql`SELECT FROM ${sql.table(table)} WHERE job_id <> ${success}`.execute(db)).rows,
      ).toEqual([]);
    const left = await sql<{ what: string }>`
      SELECT 'totals ' || jobs AS what FROM job_totals UNION ALL SELECT 'audit ' || object FROM audit
      UNION ALL SELECT 'outside' FROM sync_jobs WHERE job_id IS NULL
      UNION ALL SELECT 'last success ' || last_success_job_id FROM targets
      UNION ALL SELECT 'firing of ' || coalesce(job_id::text, 'none') FROM schedule_firings ORDER BY 1`.execute(
      db,
    );
    // The previous version detects missed firings from the first one on.
    expect(left.rows.map(({ what }) => what)).toEqual([
      'audit audit', // lines were deleted
      'audit new',
      `firing of ${success}`,
      'firing of none',
      `last success ${success}`,
      'outside',
      'totals 3',
    ]);
    expect(old).toBeLessThan(success);
  });

  test('audit lines are purged by age only, and a line names the purge', async () => {
    const add = async (object: string, days: number) =>
      await sql`INSERT INTO audit (principal, verb, object, at)
        VALUES ('eve', ${object === 'round' ? 'purge' : 'start'}, ${object}, now() - make_interval(days => ${days}))`.execute(
        db,
      );
    const objects = async () =>
      (
        await sql<{
          object: string;
        }>`SELECT object FROM audit WHERE at < now() - interval '1 day' ORDER BY id`.execute(db)
      ).rows.map(({ object }) => object);
    await add('first', 30);
    await add('second', 20);
    await add('third', 10);
    const told = async () =>
      (
        await sql<{
          line: string;
        }>`SELECT concat_ws(' ', principal, verb, object, reason, detail->>'lines') AS line
          FROM audit WHERE verb = 'purge' AND object = 'audit' ORDER BY id`.execute(db)
      ).rows.map(({ line }) => line);
    const before = await told();
    // Even with the purge's setting, younger lines stay.
    const younger = db.transaction().execute(async (tx) => {
      await sql`SELECT set_config('syncrator.audit_purged_before', (now() - interval '15 days')::text, true)`.execute(
        tx,
      );
      await sql`DELETE FROM audit WHERE object IN ('second', 'third')`.execute(tx);
    });
    await expect(younger).rejects.toThrow('the audit only grows');
    await expect(sql`DELETE FROM audit WHERE object = 'first'`.execute(db)).rejects.toThrow('only grows');
    expect(await objects()).toEqual(['first', 'second', 'third']);
    const keep = (days: number) => ({ logsSeconds: undefined, jobsSeconds: days * DAY });
    await purge(db, keep(25), { by: { principal: 'db command (ada)', origin: { reason: 'full disk' } } });
    await purge(db, keep(15));
    expect(await objects()).toEqual(['third']);
    expect((await told()).slice(before.length)).toEqual([
      'db command (ada) purge audit full disk 1',
      'retention purge audit 1',
    ]);
    // Purging only lines about purges adds no line; otherwise every round would add its own.
    await add('round', 16);
    await purge(db, keep(15));
    expect(await objects()).toEqual(['third']);
    expect(await told()).toHaveLength(before.length + 2);
  });

  test('only one purge runs at a time; a second one reports so and does nothing', async () => {
    await make({ days: 10 });
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const first = whilePurging(db, async () => {
      begun.resolve();
      await held.promise;
      return true;
    });
    await begun.promise;
    expect(await purge(db, { logsSeconds: DAY, jobsSeconds: DAY })).toBeUndefined();
    expect(await idsOf('jobs')).toHaveLength(1);
    held.resolve();
    expect(await first).toBe(true);
    expect(await purge(db, { logsSeconds: DAY, jobsSeconds: DAY })).toMatchObject({ jobs: 1 });
  });

  test('a purge stopped midway leaves the rest for the next one', async () => {
    for (let n = 0; n < 20; n++) await make({ days: 10, target: `t${n}` });
    const stop = new AbortController();
    const keep = { logsSeconds: DAY, jobsSeconds: DAY };
    const stopped = purge(db, keep, {
      signal: stop.signal,
      onProgress: ({ logs }) => logs === 5 && stop.abort(),
    });
    await expect(stopped).rejects.toThrow('aborted');
    expect(await idsOf('step_logs')).toHaveLength(14);
    expect(await purge(db, keep)).toMatchObject({ logs: 14, jobs: 20 });
  });
});

describe('regardless of age', () => {
  const keepAll = { logsSeconds: undefined, jobsSeconds: undefined };

  test('expired keys and delivered notices are deleted, except for the newest of each schedule', async () => {
    const id = await make({ days: 0 });
    await sql`INSERT INTO idempotency_keys (principal, key, body_hash, job_id, deduplicated, created_at)
      VALUES ('test', 'old', '', ${id}, false, now() - interval '25 hours')`.execute(db);
    const at = (day: number) => new Date(Date.UTC(2026, 0, day));
    for (const day of [1, 2, 3])
      await noticeMissed(db, { schedule: 's', env: 'dev', target: 'a', at: at(day) });
    await sql`UPDATE notices SET handed_on = true`.execute(db);
    await noticeMissed(db, { schedule: 't', env: 'dev', target: 'a', at: at(1) });
    await purge(db, keepAll);
    const keys = await sql<{ key: string }>`SELECT key FROM idempotency_keys`.execute(db);
    expect(keys.rows).toEqual([{ key: String(id) }]);
    const notices = await sql<{
      n: string;
    }>`SELECT schedule || ' ' || at::date AS n FROM notices ORDER BY 1`.execute(db);
    expect(notices.rows.map(({ n }) => n)).toEqual(['s 2026-01-03', 't 2026-01-01']);
    // A delivered notice is not delivered again.
    await noticeMissed(db, { schedule: 's', env: 'dev', target: 'a', at: at(3) });
    expect((await sql`SELECT FROM notices WHERE NOT handed_on`.execute(db)).rows).toHaveLength(1);
  });

  test('an ended job keeps as many reports as a chart shows, with first, last and newest checkpoint', async () => {
    const ended = await make({ days: 0, target: 'ended' });
    const running = await make({ days: 0, target: 'running', status: 'running' });
    await sql`INSERT INTO reports (job_id, step, attempt, seq, phase, records_done, checkpoint)
      SELECT id, 0, 1, seq, 'reading', seq, CASE WHEN seq <= 2777 THEN to_jsonb(seq) END
      FROM jobs, generate_series(2, 3000) AS seq`.execute(db);
    const before = await listReportPoints(db, ended, 500);
    await purge(db, keepAll);
    const count = async (id: number) =>
      (await sql`SELECT FROM reports WHERE job_id = ${id}`.execute(db)).rows.length;
    expect(await count(running)).toBe(3_000);
    expect(await count(ended)).toBeGreaterThan(490);
    expect(await count(ended)).toBeLessThan(510);
    const after = await listReportPoints(db, ended, 500);
    expect([after[0], after.at(-1)]).toEqual([before[0], before.at(-1)]);
    const steps = after
      .slice(1)
      .map((point, at) => (point.records_done ?? 0) - (after[at]?.records_done ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(18); // evenly: 6 apart on average
    expect(await readCheckpoint(db, ended, 0)).toBe(2777);
    const again = await count(ended);
    await purge(db, keepAll);
    expect(await count(ended)).toBe(again);
  });
});
