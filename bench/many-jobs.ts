/** Fills a database with final jobs as years of use would leave them, each with its step. */
import type pg from 'pg';
import { planSteps, STEP_DEFAULTS } from '../src/domain/plan.ts';

/** Jobs take turns over all targets in all environments. */
export const KEYS = {
  targets: Array.from({ length: 50 }, (_, n) => `target-${n}`),
  envs: ['dev', 'prd', 'qas', 'tst'],
};

/** Jobs per INSERT. */
const CHUNK = 50_000;
const MINUTES_APART = 2;

/**
 * Of a hundred jobs 94 are completed, 5 failed and 1 is deleted. Triggers stay active.
 * @param onProgress receives the number of jobs so far
 */
export async function fillJobs(
  client: pg.Client,
  count: number,
  onProgress: (filled: number) => void,
): Promise<void> {
  const parameters = {
    action_name: 'sync',
    action: 'sync',
    is_tag: 'latest',
    options: '-n 1000 -c 1',
    mam_main_query: null,
  };
  const plan = planSteps(parameters, STEP_DEFAULTS);
  if ('error' in plan) throw new Error(plan.error);
  const spec = JSON.stringify(plan.steps);
  for (let filled = 0; filled < count; filled += CHUNK) {
    await client.query(JOBS, [KEYS.envs, KEYS.targets, spec, filled, Math.min(CHUNK, count - filled), count]);
    onProgress(Math.min(filled + CHUNK, count));
  }
  await client.query(STEPS);
  // Autovacuum would do this within a minute.
  await client.query('VACUUM ANALYZE jobs, steps');
}

const JOBS = `
  INSERT INTO jobs (uid, env, target, action_name, action, is_tag, options, runner, steps_spec, spec_hash, "trigger",
    requested_by, status, created_at, updated_at, claimed_at, started_at, finished_at, diagnosis)
  SELECT gen_random_uuid(), ($1::text[])[1 + n % cardinality($1::text[])],
    ($2::text[])[1 + n / cardinality($1::text[]) % cardinality($2::text[])], 'sync', 'sync', 'latest', '-n 1000 -c 1',
    'process', $3::jsonb, 'hash', 'schedule', 'schedule',
    -- Not n % 100: that would be the same for every job of a key.
    CASE WHEN h < 1 THEN 'deleted' WHEN h < 6 THEN 'failed' ELSE 'completed' END,
    at, at + interval '60 s', at + interval '1 s', at + interval '2 s', at + interval '60 s',
    CASE WHEN h BETWEEN 1 AND 5 THEN '{"code": "exit_code", "summary": "The program ended with 1.", "detail": "",
      "what_to_do": "Read its log."}'::jsonb END
  FROM generate_series($4::int, $4::int + $5::int - 1) n,
    LATERAL (SELECT abs(hashint4(n)) % 100 AS h, now() - ($6::int - n) * interval '${MINUTES_APART} min' AS at) of_job
  ORDER BY n`;

const STEPS = `
  INSERT INTO steps (job_id, step, attempt, action, name, runner_uid, created_at, launched_at, started_at, ended_at,
    outcome, diagnosis)
  SELECT id, 0, 1, action, 'syn-sync-' || id || '-0-1', uid::text, created_at, created_at, started_at, finished_at,
    CASE status WHEN 'deleted' THEN 'cancelled' ELSE status END, diagnosis FROM jobs ORDER BY id`;
