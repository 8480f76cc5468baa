/** Tests who may lift a guard, by every route that starts jobs, and the audit line about it. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { MockActivityEnvironment } from '@temporalio/testing';
import { scheduleActivities } from '../../../activities/schedules.ts';
import type { DryRunJson } from '../../../src/api/jobs/start-answer.ts';
import { signToken } from '../../../src/api/auth/tokens.ts';
import { addUser } from '../../../src/db/access/users.ts';
import { FORCE_DELETE, type Grant, grantOf, unlimited } from '../../../src/domain/permission.ts';
import { type Api, SECRET, setup, justNow } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup({
    env: { ITEM_BANK: 'alpha/dev' },
    files: {
      'dev/loose-sync': ['TARGET=loose', 'ACTION=sync', 'SCHEDULE=every 60s', 'MAX_DELETE_PERCENT=90'],
      'dev/loose-delete': ['TARGET=loose', 'ACTION=delete', 'MAX_DELETE_PERCENT=0', 'MAX_DELETE_RECORDS=0'],
      'dev/forced-sync': ['TARGET=forced', 'ACTION=sync', 'SCHEDULE=every 60s'],
      'dev/own-sync': ['TARGET=own', 'ACTION=sync', 'COMMAND=true', 'CALLER_OPTIONS=true'],
    },
    // Its author has decided that it runs without the guard.
    options: { 'dev/forced-sync': '--force-delete' },
  });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets CASCADE`.execute(api.db);
});

let made = 0;
async function tokenWith(grant: Grant): Promise<string> {
  const username = `guarded${++made}`;
  await addUser(api.db, { username, passwordHash: 'none', grant }, { principal: 'test' });
  return await signToken([SECRET], { sub: username, authTime: justNow() });
}
const run = (over: object = {}) => ({
  target: 'alpha',
  env: 'dev',
  action_name: 'delete',
  action: 'delete',
  is_tag: 'latest',
  options: '-n 5 --force-delete',
  ...over,
});
const notesOf = async (id: number) => {
  const { rows } = await sql<{ note: string | null }>`
    SELECT detail->>'note' AS note FROM audit WHERE object = ${`job ${id}`}`.execute(api.db);
  return rows.map(({ note }) => note);
};

it.each(['/run', '/dryrun'])(
  '%s accepts --force-delete from callers with the right, and names the right to others',
  async (where) => {
    const may = [unlimited('admin'), grantOf('operator', [], ['delete', FORCE_DELETE])];
    const mayNot = [unlimited('operator'), grantOf('operator', ['dev'], ['delete'])];
    for (const grant of mayNot) {
      const token = await tokenWith(grant);
      const { status, body } = await api.call('POST', where, { token, json: run() });
      expect([status, body.code, body.outside]).toEqual([403, 'forbidden', { action: 'force-delete' }]);
      expect(body.detail).toContain('--force-delete needs the right force-delete');
      expect((await api.call('POST', where, { token, json: run({ options: '-n 5' }) })).status).toBeLessThan(
        300,
      );
      await sql`TRUNCATE jobs CASCADE`.execute(api.db);
    }
    for (const grant of may) {
      const answer = await api.call('POST', where, { token: await tokenWith(grant), json: run() });
      expect(answer.status).toBeLessThan(300);
      await sql`TRUNCATE jobs CASCADE`.execute(api.db);
    }
  },
);

it('a program that is not ours gets --force-delete only from callers with the right, too', async () => {
  const token = await tokenWith(unlimited('operator'));
  const json = run({ target: 'own', action_name: 'sync', action: 'sync', options: 'delete --force-delete' });
  expect((await api.call('POST', '/run', { token, json })).body.outside).toEqual({ action: 'force-delete' });
});

it('--force-delete in a params file is its author’s decision, by path, batch and schedule', async () => {
  const token = await tokenWith(unlimited('operator'));
  const jobs = [{ operation: 'sync', target: 'forced', env: 'dev' }];
  for (const [where, asked] of [
    ['/sync/forced/dev', {}],
    ['/schedules/dev.forced.sync/run', {}],
    ['/jobs', { json: { jobs } }],
  ] as const) {
    const { body } = await api.call('POST', where, { token, ...asked });
    const id = body.job_id ?? body.id ?? body[0].job_id;
    expect([where, await notesOf(id)]).toEqual([where, ['guard lifted']]);
    await sql`TRUNCATE jobs CASCADE`.execute(api.db);
  }
});

it('the audit records a schedule that lifts the guard, too', async () => {
  const { db, params, temporal } = api.deps;
  const defaults = { runner: 'process', image: 'syncrator' } as const;
  const { fireSchedule } = scheduleActivities({ db, temporal, params, defaults });
  const firing = { schedule: 'dev.forced.sync', nominalTime: new Date().toISOString() };
  expect(await new MockActivityEnvironment().run(fireSchedule, firing)).toBe('started');
  const { body } = await api.call('GET', '/jobs?ignoreCompleted=true');
  expect(await notesOf(body[0].id)).toEqual(['guard lifted']);
});

it('a job under the guard adds no such line', async () => {
  const { body } = await api.call('POST', '/sync/alpha/dev');
  expect(await notesOf(body.job_id)).toEqual([null]);
});

it('limits apply to the action that runs, whatever name it is called by', async () => {
  const limitsOf = async (action_name: string, action: string, target = 'loose') => {
    const json = run({ target, action_name, action, options: '' });
    const { body } = await api.call('POST', '/dryrun', { json });
    return (body as DryRunJson).result.map(({ environment: of }) => [
      of?.['SYNCRATOR_MAX_DELETE_PERCENT'],
      of?.['SYNCRATOR_MAX_DELETE_RECORDS'],
    ]);
  };
  const [tight, wide] = [
    ['0', '0'],
    ['90', '5'],
  ];
  expect(await limitsOf('delete', 'delete')).toEqual([tight]);
  expect(await limitsOf('sync', 'delete')).toEqual([tight]);
  expect(await limitsOf('my-own-word', 'delete')).toEqual([tight]);
  expect(await limitsOf('delete', 'sync')).toEqual([wide]);
  expect(await limitsOf('rollback', 'rollback')).toEqual([wide]);
  // Undeclared names: a diff removes as the delete does; all others run as the sync, or as the setting that all
  // files share.
  expect(await limitsOf('diff', 'diff')).toEqual([tight, tight]);
  expect(await limitsOf('delta', 'delta')).toEqual([wide]);
  expect(await limitsOf('delete', 'delete', 'nosync')).toEqual([['10', '5']]);
});

it('a take-over needs an admin by every route', async () => {
  const token = await tokenWith(unlimited('operator'));
  const { body } = await api.call('POST', '/take-over/alpha/dev');
  await sql`UPDATE jobs SET status = 'failed', finished_at = now() WHERE id = ${body.job_id}`.execute(api.db);
  const resumed = await api.call('POST', `/jobs/${body.job_id}/resume`, { token });
  expect([resumed.status, resumed.body.needs]).toEqual([403, 'admin']);
  expect((await api.call('POST', `/jobs/${body.job_id}/resume`)).status).toBe(202);
});
