/** QUEUE=one: the latest start of a busy target is remembered, seen, cancelled, and becomes one job when the target is free. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sql } from 'kysely';
import { readNext } from '../../src/db/jobs/next-starts.ts';
import { submitJob, submitJobIn } from '../../src/db/jobs/submit.ts';
import type { Tx } from '../../src/db/schema.ts';
import { login } from '../support/login.ts';
import { params, startSystem, type System } from '../support/system.ts';

const LONG = '--mute --seconds 600';
const ONE = 'QUEUE=one\n';
const KEYS = ['latest', 'matrix', 'cancelled', 'kept', 'killed', 'keyed', 'batched', 'raced'] as const;

let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      ...KEYS.flatMap((key) => [
        params(key, 'sync', '--mute', ONE),
        params(key, 'delta', LONG, ONE),
        params(key, 'index', LONG),
        params(key, 'delete', '--mute', ONE),
      ]),
      params('timed', 'delta', LONG),
      params('timed', 'delete', '--mute', `${ONE}SCHEDULE=every 2s\n`),
      params('listed', 'sync', LONG),
      params('listed', 'delta', '--mute', `${ONE}QUEUE_BEHIND=sync\n`),
      params('listed', 'delete', '--mute', `${ONE}QUEUE_BEHIND=delta\n`),
    ],
  });
  await Promise.all([system.startApi(), system.startWorker()]);
});
afterAll(() => system[Symbol.asyncDispose]());

const start = (target: string, action: string) =>
  action === 'index' ? run(target, action, LONG) : system.call('POST', `/${action}/${target}/dev`);
const run = (target: string, action: string, options: string) =>
  system.call('POST', '/run', { target, env: 'dev', action, action_name: action, is_tag: 'latest', options });
const next = (target: string) => readNext(system.db, { env: 'dev', target });
const jobs = (target: string) =>
  system.db.selectFrom('jobs').selectAll().where('target', '=', target).orderBy('id').execute();
const cancel = (id: number) => system.call('DELETE', `/jobs/${id}`);

/** A job that holds the key until it is cancelled. */
async function hold(target: string, action = 'delta'): Promise<number> {
  const { status, body } = await start(target, action);
  expect(status, JSON.stringify(body)).toBe(202);
  return body['job_id'] as number;
}

test('the latest start of a busy target is remembered, shown with the target, and follows the running job', {
  timeout: 90_000,
}, async () => {
  const holder = await hold('latest');
  const first = await start('latest', 'delete');
  expect(first).toMatchObject({
    status: 202,
    body: {
      result: 'queued',
      msg: expect.stringContaining(
        `delete of target 'latest' in env 'dev' is queued behind job ${holder}`,
      ) as string,
      next_start: { action_name: 'delete', requested_by: 'admin', behind: holder },
    },
  });
  expect(first.body).not.toHaveProperty('job_id');
  const second = await start('latest', 'sync');
  expect(second.body).toMatchObject({ result: 'queued', next_start: { action_name: 'sync' } });
  // Asked again: the same start stays, and so does its identity.
  expect((await start('latest', 'sync')).body['next_start']).toEqual(second.body['next_start']);
  expect(await system.call('GET', '/next/latest/dev')).toEqual({
    status: 200,
    body: second.body['next_start'],
  });
  const { body: target } = await system.call('GET', '/targets/latest');
  expect(target).toMatchObject({ environments: [{ next_start: second.body['next_start'] }] });
  await cancel(holder);
  await vi.waitFor(async () => expect(await jobs('latest')).toHaveLength(2), { timeout: 30_000 });
  const [, follower] = await jobs('latest');
  expect(follower).toMatchObject({ action: 'sync', trigger: 'api', requested_by: 'admin' });
  expect(follower?.uid).toBe((second.body['next_start'] as { uid: string }).uid);
  expect(await next('latest')).toBeUndefined();
  await system.until(follower?.id ?? 0, 'completed');
  expect(await jobs('latest')).toHaveLength(2);
});

test('a start is refused behind a job that does its work, and QUEUE_BEHIND decides otherwise', async () => {
  const holder = await hold('listed', 'sync');
  expect((await start('listed', 'delta')).body).toMatchObject({ result: 'queued' });
  expect(await start('listed', 'delete')).toMatchObject({
    status: 409,
    body: { code: 'busy', holder: { id: holder } },
  });
  await cancel(holder);
  const syncing = await hold('matrix', 'index');
  // No QUEUE: refused.
  expect((await run('matrix', 'index', '--mute --other')).status).toBe(409);
  expect((await start('matrix', 'sync')).body).toMatchObject({ result: 'queued' });
  // A delta does not take the place of a sync, which does its work too.
  expect((await start('matrix', 'delta')).body).toMatchObject({ next_start: { action_name: 'sync' } });
  await cancel(syncing);
});

test('the same start as the running job is still the running job', { timeout: 60_000 }, async () => {
  const holder = await hold('kept');
  expect(await start('kept', 'delta')).toMatchObject({
    status: 200,
    body: { job_id: holder, deduplicated: true },
  });
  // By parameters, with other options: it follows.
  const other = await run('kept', 'delta', '--mute --seconds 0');
  expect(other.body).toMatchObject({ result: 'queued', next_start: { options: '--mute --seconds 0' } });
  await cancel(holder);
  await vi.waitFor(async () => expect((await jobs('kept')).at(-1)?.options).toBe('--mute --seconds 0'), {
    timeout: 30_000,
  });
  await system.until((await jobs('kept')).at(-1)?.id ?? 0, 'completed');
});

test('a remembered start can be cancelled, by its uid only while it is that one', {
  timeout: 60_000,
}, async () => {
  expect((await system.call('GET', '/next/cancelled/dev')).body).toMatchObject({ code: 'no_next_start' });
  const holder = await hold('cancelled');
  const first = (await start('cancelled', 'delete')).body['next_start'] as { uid: string };
  const second = (await start('cancelled', 'sync')).body['next_start'] as { uid: string };
  const by = (uid: string) => system.call('DELETE', `/next/cancelled/dev?uid=${uid}`);
  expect(await by(first.uid)).toMatchObject({ status: 404, body: { code: 'no_next_start' } });
  expect(await by('nonsense')).toMatchObject({ status: 400, body: { errors: [{ field: 'uid' }] } });
  expect(await by(second.uid)).toMatchObject({ status: 200, body: { uid: second.uid } });
  expect(await by(second.uid)).toMatchObject({ status: 404 });
  const { rows } = await sql<{ verb: string }>`SELECT verb FROM audit WHERE object = 'target cancelled'
    ORDER BY id`.execute(system.db);
  expect(rows.map(({ verb }) => verb)).toEqual(['queue', 'queue', 'unqueue']);
  await cancel(holder);
  await system.until(holder, 'deleted');
  expect(await jobs('cancelled')).toHaveLength(1);
});

test('a request repeated under its Idempotency-Key has the same answer, also after its start has become a job', {
  timeout: 60_000,
}, async () => {
  const holder = await hold('keyed');
  const token = await login(system.apiUrl);
  const keyed = async () => {
    const answer = await fetch(`${system.apiUrl}/sync/keyed/dev`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': 'once' },
    });
    return { status: answer.status, body: await answer.json() };
  };
  const first = await keyed();
  expect(first).toMatchObject({ status: 202, body: { result: 'queued' } });
  expect(await keyed()).toEqual(first);
  await cancel(holder);
  await vi.waitFor(async () => expect(await jobs('keyed')).toHaveLength(2), { timeout: 30_000 });
  await system.until((await jobs('keyed')).at(-1)?.id ?? 0, 'completed');
  expect(await keyed()).toEqual(first);
  expect(await jobs('keyed')).toHaveLength(2);
});

test('a rollback forgets the start that waits, which would bring back what it undoes; a preview does not', async () => {
  const parameters = { action_name: 'rollback', action: 'rollback', is_tag: 'x', mam_main_query: null };
  const of = {
    env: 'dev',
    target: 'nowhere',
    runner: 'external',
    steps: [],
    trigger: 'api',
    requestedBy: 'test',
  } as const;
  const submit = (tx: Tx, options: string) =>
    submitJobIn(tx, { ...of, uid: randomUUID(), parameters: { ...parameters, options } });
  for (const [options, left] of [
    ['--preview', 1],
    ['--before x', 0],
  ] as const)
    await system.db.transaction().execute(async (tx) => {
      await sql`INSERT INTO next_starts (env, target, uid, request, "trigger", requested_by, behind)
        VALUES ('dev', 'nowhere', ${randomUUID()}, ${JSON.stringify({ parameters })}, 'api', 'ann', 1)`.execute(
        tx,
      );
      const submitted = await submit(tx, options);
      expect(submitted.kind).toBe('created');
      expect((await sql`SELECT FROM next_starts WHERE target = 'nowhere'`.execute(tx)).rows).toHaveLength(
        left,
      );
      await sql`DELETE FROM next_starts WHERE target = 'nowhere'`.execute(tx);
      await sql`UPDATE jobs SET status = 'deleted', finished_at = now() WHERE target = 'nowhere'`.execute(tx);
    });
});

test('a start does not wait behind a rollback', async () => {
  const parameters = {
    action_name: 'rollback',
    action: 'rollback',
    is_tag: 'x',
    options: '--before x',
    mam_main_query: null,
  };
  const of = {
    env: 'dev',
    target: 'undone',
    runner: 'external',
    steps: [],
    trigger: 'api',
    requestedBy: 'test',
  } as const;
  const holder = await submitJob(system.db, { ...of, uid: randomUUID(), parameters });
  if (holder.kind !== 'created') throw new Error(holder.kind);
  const sync = { ...parameters, action_name: 'sync', action: 'sync', options: '' };
  const asked = { ...of, uid: randomUUID(), parameters: sync, queue: { behind: null } };
  expect(await submitJob(system.db, asked)).toMatchObject({ kind: 'busy', holder: { id: holder.job.id } });
  await cancel(holder.job.id);
});

test('a caller may not replace a start that its rights do not include', async () => {
  const parameters = {
    action_name: 'index',
    action: 'index',
    is_tag: 'x',
    options: '',
    mam_main_query: null,
  };
  const of = {
    env: 'dev',
    target: 'rights',
    runner: 'external',
    steps: [],
    trigger: 'api',
    requestedBy: 'test',
  } as const;
  const submit = (action: string, more = {}) =>
    submitJob(system.db, {
      ...of,
      uid: randomUUID(),
      parameters: { ...parameters, action, action_name: action },
      ...more,
    });
  const holder = await submit('index');
  if (holder.kind !== 'created') throw new Error(holder.kind);
  expect(await submit('delete', { queue: { behind: null } })).toMatchObject({ kind: 'queued' });
  const limited = {
    queue: { behind: null },
    mayReplace: ({ action }: { action: string }) => action !== 'delete',
  };
  expect(await submit('delta', limited)).toMatchObject({ kind: 'busy' });
  expect(await next('rights')).toMatchObject({ request: { parameters: { action: 'delete' } } });
  await sql`DELETE FROM next_starts WHERE target = 'rights'`.execute(system.db);
  await cancel(holder.job.id);
});

test('a worker killed at any point starts the remembered job exactly once', {
  timeout: 120_000,
}, async () => {
  const holder = await hold('killed');
  await system.until(holder, 'running');
  await start('killed', 'sync');
  await system.endParts('src/worker.ts');
  await cancel(holder);
  const workers = await Promise.all([system.startWorker(), system.startWorker()]);
  await vi.waitFor(async () => expect(await jobs('killed')).toHaveLength(2), { timeout: 60_000 });
  await system.until((await jobs('killed')).at(-1)?.id ?? 0, 'completed', 60_000);
  expect(await jobs('killed')).toHaveLength(2);
  expect(workers).toHaveLength(2);
});

test('an item of a batch says that it is queued', { timeout: 60_000 }, async () => {
  const answer = await system.call('POST', '/jobs', {
    jobs: [
      { operation: 'delta', target: 'batched', env: 'dev' },
      { operation: 'sync', target: 'batched', env: 'dev' },
      { operation: 'index', target: 'batched', env: 'dev' },
    ],
  });
  const [first, second, third] = answer.body as unknown as { status: string; msg: string; job_id: number }[];
  expect(first?.status).toBe('CREATED');
  expect(second).toEqual({
    status: 'QUEUED',
    msg: `sync of target 'batched' in env 'dev' is queued behind job ${first?.job_id}`,
  });
  expect(third?.status).toBe('FAILED');
  await system.call('DELETE', '/next/batched/dev');
  await cancel(first?.job_id ?? 0);
});

test('callers of a busy target at once leave one remembered start, which one of them was told of', {
  timeout: 60_000,
}, async () => {
  const holder = await hold('raced');
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, at) => run('raced', at % 2 === 0 ? 'sync' : 'delete', `--mute --n ${at}`)),
  );
  // A loaded Postgres may answer too late (503), and never with a deadlock (500).
  expect(answers.filter(({ status }) => status !== 202 && status !== 503)).toEqual([]);
  const told = answers.flatMap(({ body }) => (body['next_start'] as { uid: string } | undefined)?.uid ?? []);
  const { rows } = await sql<{ uid: string }>`SELECT uid FROM next_starts WHERE target = 'raced'`.execute(
    system.db,
  );
  expect(rows).toHaveLength(1);
  expect(told).toContain(rows[0]?.uid);
  await system.call('DELETE', '/next/raced/dev');
  await cancel(holder);
});

test('a firing of a busy target is recorded as queued, and its job follows', {
  timeout: 90_000,
}, async () => {
  const holder = await vi.waitFor(
    async () => {
      const { status, body } = await start('timed', 'delta');
      expect(status).toBe(202);
      return body['job_id'] as number;
    },
    { timeout: 20_000, interval: 50 },
  );
  const queued = await vi.waitFor(
    async () => {
      const firing = await system.db
        .selectFrom('schedule_firings')
        .selectAll()
        .where('schedule', '=', 'dev.timed.delete')
        .where('outcome', '=', 'queued')
        .executeTakeFirstOrThrow();
      return firing;
    },
    { timeout: 30_000 },
  );
  expect(queued).toMatchObject({
    job_id: holder,
    detail: `delete is remembered as the next start, behind job ${holder}`,
  });
  const remembered = await next('timed');
  await cancel(holder);
  await vi.waitFor(
    async () => expect((await jobs('timed')).map(({ uid }) => uid)).toContain(remembered?.uid),
    {
      timeout: 30_000,
    },
  );
});
