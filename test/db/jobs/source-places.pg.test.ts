/** Claims of one source on a real Postgres: concurrent ones never take more places than SOURCE_LIMIT has. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { claimJob, findClaimable } from '../../../src/db/jobs/claim.ts';
import { connect } from '../../../src/db/connect.ts';
import { finishJob } from '../../../src/db/jobs/finish.ts';
import { listHeld } from '../../../src/db/jobs/reconcile.ts';
import { listWaitingForSource } from '../../../src/db/jobs/source-places.ts';
import { submitJob } from '../../../src/db/jobs/submit.ts';
import type { Db, JobRow } from '../../../src/db/schema.ts';
import { parseSourceLimits } from '../../../src/domain/source-limit.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

const limits = parseSourceLimits('mam:2,erp:1');
let database: TestDatabase;
let db: Db;

beforeAll(async () => {
  database = await createDatabase();
  db = connect(database.url, { max: 10, applicationName: 'places', onError: () => undefined });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(async () => {
  await sql`UPDATE jobs SET status = 'deleted', finished_at = now() WHERE finished_at IS NULL`.execute(db);
});

async function submit(target: string, sourceName?: string): Promise<number> {
  const parameters = { action_name: 'sync', action: 'sync', is_tag: 'x', options: '', mam_main_query: null };
  const of = { env: 'dev', target, parameters, runner: 'process', steps: [], uid: randomUUID() } as const;
  const submitted = await submitJob(db, { ...of, sourceName, trigger: 'api', requestedBy: 'test' });
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  return submitted.job.id;
}

async function claim(target: string, runId: string = randomUUID()): Promise<JobRow | undefined> {
  const seen = await findClaimable(db, { env: 'dev', target });
  if (!seen) throw new Error(`nothing to claim for ${target}`);
  return await claimJob(db, seen, { runId, runStartedAt: new Date(), limits }, false);
}

const targets = (count: number) => Array.from({ length: count }, (_, at) => `t${at}`);
const claimedIds = async () =>
  (
    await db
      .selectFrom('jobs')
      .select('id')
      .where('finished_at', 'is', null)
      .where('run_id', 'is not', null)
      .execute()
  )
    .map(({ id }) => id)
    .toSorted((a, b) => a - b);

test('of many concurrent claims exactly the first by id get the places, again and again', async () => {
  const all = targets(20);
  const ids: number[] = [];
  for (const target of all) ids.push(await submit(target, 'mam'));
  const left = () => ids.slice(ids.length - all.length);
  while (all.length > 0) {
    await Promise.all([...all, ...all].toReversed().map((target) => claim(target)));
    expect(await claimedIds()).toEqual(left().slice(0, 2));
    const [target = ''] = all;
    const held = await findClaimable(db, { env: 'dev', target });
    await finishJob(db, { jobId: held?.id ?? 0, runId: held?.run_id ?? '', outcome: { kind: 'completed' } });
    all.shift();
  }
});

test('a job that has its place keeps it when another run takes it over', async () => {
  const [first = '', second = '', third = ''] = targets(3);
  for (const target of [first, second, third]) await submit(target, 'mam');
  await claim(first);
  await claim(second);
  expect(await claim(first)).toMatchObject({ target: first, status: 'starting' });
  expect(await claim(third)).toBeUndefined();
});

test('a limit of one source leaves other sources, and jobs without a source, alone', async () => {
  await submit('a', 'erp');
  await submit('b', 'mam');
  await submit('c');
  await submit('d', 'unlimited');
  for (const target of ['a', 'b', 'c', 'd']) expect(await claim(target)).toMatchObject({ target });
  await submit('e', 'erp');
  expect(await claim('e')).toBeUndefined();
});

test('the reconciler is told of jobs without a place, and pokes only the others', async () => {
  const [running, second, third] = [
    await submit('a', 'erp'),
    await submit('b', 'erp'),
    await submit('c', 'erp'),
  ];
  await claim('a');
  const waiting = await listWaitingForSource(db, limits);
  expect(waiting.map(({ id, isShown }) => ({ id, isShown }))).toEqual([
    { id: second, isShown: false },
    { id: third, isShown: false },
  ]);
  expect(await claim('b')).toBeUndefined();
  expect((await listWaitingForSource(db, limits))[0]).toMatchObject({ id: second, isShown: true });
  const except = waiting.map(({ id }) => id);
  expect(await listHeld(db, { except })).toEqual([]);
  await finishJob(db, {
    jobId: running,
    runId: (await findClaimable(db, { env: 'dev', target: 'a' }))?.run_id ?? '',
    outcome: { kind: 'completed' },
  });
  expect(await listWaitingForSource(db, limits)).toMatchObject([
    { id: second, words: null },
    { id: third, words: expect.stringContaining(`job ${second} comes first`) as string },
  ]);
  // Without the limit nobody waits.
  expect(await listWaitingForSource(db, parseSourceLimits(''))).toEqual([]);
});
