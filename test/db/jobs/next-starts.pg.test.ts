/** Next starts on a real Postgres: transactions that take the start and the job of a key in different orders. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connect } from '../../../src/db/connect.ts';
import { readNext } from '../../../src/db/jobs/next-starts.ts';
import type { Submission } from '../../../src/db/jobs/submission.ts';
import { submitBatch } from '../../../src/db/jobs/submit-batch.ts';
import { submitJob } from '../../../src/db/jobs/submit.ts';
import type { Db } from '../../../src/db/schema.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let db: Db;

beforeAll(async () => {
  database = await createDatabase();
  db = connect(database.url, { max: 10, applicationName: 'next', onError: () => undefined });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

const key = { env: 'dev', target: 'one' };

function submission(action: string, more: Partial<Submission> = {}): Submission {
  const parameters = { action_name: action, action, is_tag: 'x', options: '', mam_main_query: null };
  const of = { ...key, parameters, runner: 'process', steps: [], uid: randomUUID() } as const;
  return { ...of, trigger: 'api', requestedBy: 'test', ...more };
}
const queued = (action: string) => submission(action, { queue: { behind: null } });

/** Sessions that wait for a lock. */
async function waiting(): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db);
  return rows[0]?.count ?? 0;
}

test('a rollback and a batch that starts the target and queues behind itself do not wait for each other in a circle', {
  timeout: 60_000,
}, async () => {
  await submitJob(db, submission('delta'));
  expect((await submitJob(db, queued('delete'))).kind).toBe('queued');
  await sql`UPDATE jobs SET status = 'deleted', finished_at = now()`.execute(db);
  // The batch stops between its two items, until the rollback waits.
  await sql`CREATE FUNCTION stop_here() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$`.execute(db);
  await sql`CREATE TRIGGER stops AFTER INSERT ON jobs FOR EACH ROW WHEN (NEW.action = 'index')
    EXECUTE FUNCTION stop_here()`.execute(db);
  let both: Promise<unknown> = Promise.resolve();
  await db.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(42)`.execute(tx);
    const batch = submitBatch(db, { items: [submission('index'), queued('sync')] });
    await vi.waitFor(async () => expect(await waiting()).toBe(1), { timeout: 20_000 });
    const rollback = submitJob(db, submission('rollback'));
    both = Promise.all([batch, rollback]);
    await vi.waitFor(async () => expect(await waiting()).toBe(2), { timeout: 20_000 });
  });
  expect(await both).toMatchObject([
    { answer: [{ status: 'CREATED' }, { status: 'QUEUED' }] },
    { kind: 'busy', holder: { action: 'index' } },
  ]);
  expect(await readNext(db, key)).toMatchObject({ request: { parameters: { action: 'sync' } } });
});
