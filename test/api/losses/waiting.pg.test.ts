/** Losses that wait cannot be forgotten: they are told when they are born or grow, and once a day, and go when resolved. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { lockWaiting } from '../../../src/db/losses/losses.ts';
import { returnPinned } from '../../../src/db/losses/pins.ts';
import { listWaiting } from '../../../src/db/losses/losses.ts';
import { listOpenNotices, noticeWaitingLosses } from '../../../src/db/notices.ts';
import { purge } from '../../../src/engine/retention.ts';
import { type Api, claimed, setup } from '../support.ts';
import { digestOf, forgetAll, heldRecord, hold, person, upload, waiting } from './support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => forgetAll(api));

/** The notices of losses since the last call. */
async function told() {
  const notices = (await listOpenNotices(api.db)).filter(({ event }) => event === 'losses_waiting');
  await sql`DELETE FROM notices`.execute(api.db);
  return notices.map(({ env, target, lossId, jobId }) => ({ env, target, lossId, jobId }));
}
const pass = async (interval: string) =>
  void (await sql`UPDATE losses SET noticed_at = noticed_at - ${interval}::interval`.execute(api.db));
const keepAll = async (days: number) => {
  const { id, digest } = await waiting(api);
  const { token } = await person(api);
  const json = { digest, reason: 'still there', all: true, days };
  expect((await api.call('POST', `/losses/${id}/keep`, { token, json })).status).toBe(200);
};

it('a loss is told when it is born and when it grows, not when it stays or shrinks', async () => {
  const job = await hold(api, ['a', 'b']);
  const { id } = await waiting(api);
  expect(await told()).toEqual([{ env: 'dev', target: 'alpha', lossId: id, jobId: job }]);
  await hold(api, ['a', 'b']);
  await hold(api, ['a']);
  expect(await told()).toEqual([]);
  // As many as before, but another one.
  const other = await hold(api, ['z']);
  expect(await told()).toEqual([{ env: 'dev', target: 'alpha', lossId: id, jobId: other }]);
});

it('a loss that waits is told once a day, by however many workers', async () => {
  await hold(api, ['a']);
  await told();
  await pass('23 hours');
  await noticeWaitingLosses(api.db);
  expect(await told()).toEqual([]);
  await pass('1 hour');
  await Promise.all(Array.from({ length: 5 }, () => noticeWaitingLosses(api.db)));
  expect(await told()).toHaveLength(1);
});

it('a loss of which everything is kept is not told until its days are over', async () => {
  await hold(api, ['a']);
  await keepAll(30);
  await told();
  await pass('2 days');
  await noticeWaitingLosses(api.db);
  expect(await told()).toEqual([]);
  await sql`UPDATE loss_pins SET until = now()`.execute(api.db);
  await Promise.all(Array.from({ length: 5 }, () => returnPinned(api.db)));
  expect(await told()).toHaveLength(1);
  expect(await waiting(api)).toMatchObject({ count: 1, pinned: 0, digest: digestOf(['a']) });
});

it('days that are over for a target without a loss only forget the keep', async () => {
  await hold(api, ['a']);
  await keepAll(1);
  await hold(api, []);
  await sql`UPDATE loss_pins SET until = now()`.execute(api.db);
  await returnPinned(api.db);
  expect(await api.db.selectFrom('loss_pins').selectAll().execute()).toEqual([]);
  await hold(api, ['a']);
  expect((await waiting(api)).count).toBe(1);
});

it('days that end just when the loss is born leave none of its records out', async () => {
  await hold(api, ['a']);
  await keepAll(1);
  await hold(api, []);
  await sql`UPDATE loss_pins SET until = now()`.execute(api.db);
  let told = false;
  let telling: Promise<unknown> | undefined;
  await api.db.transaction().execute(async (tx) => {
    // What returnPinned does, stopped between its deletion and its commit.
    await lockWaiting(tx, { env: 'dev', target: 'alpha' });
    await sql`DELETE FROM loss_pins`.execute(tx);
    telling = hold(api, ['a', 'b']).then(() => void (told = true));
    await expect
      .poll(async () => {
        const { rows } = await sql<{ n: number }>`
          SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND locktype = 'advisory'`.execute(
          api.db,
        );
        return told || rows[0]?.n === 1;
      })
      .toBe(true);
  });
  await telling;
  expect(await waiting(api)).toMatchObject({ count: 2, pinned: 0, digest: digestOf(['a', 'b']) });
});

it('an overdue loss says so and waits on', async () => {
  await hold(api, ['a']);
  await sql`UPDATE losses SET born_at = now() - interval '8 days'`.execute(api.db);
  expect(await waiting(api)).toMatchObject({ overdue: true, status: 'waiting', count: 1 });
  expect(await listWaiting(api.db)).toMatchObject([{ env: 'dev', target: 'alpha', count: 1 }]);
});

it('losses wait oldest first, by env and target', async () => {
  const tell = async (where: string) => {
    const job = await claimed(api, where);
    const attempt = await job.begin();
    await upload(api, attempt, { records: [heldRecord('a')] });
    await job.end(attempt.ref);
    await job.finish();
  };
  for (const where of ['/sync/beta/dev', '/sync/alpha/dev', '/sync/alpha/qas']) await tell(where);
  const list = async (query: string) =>
    (await api.call('GET', `/losses${query}`)).body.map(({ env, target }: any) => `${target}/${env}`);
  expect(await list('')).toEqual(['beta/dev', 'alpha/dev', 'alpha/qas']);
  expect(await list('?env=dev')).toEqual(['beta/dev', 'alpha/dev']);
  expect(await list('?target=alpha&env=qas')).toEqual(['alpha/qas']);
  const page = await api.call('GET', '/losses?limit=2');
  expect(page.headers.get('link')).toContain('</losses?limit=2&page=2>; rel="next"');
  expect(await list('?limit=2&page=2')).toEqual(['alpha/qas']);
});

it('a purge deletes resolved losses after KEEP_JOBS and dead uploads at once, and never what waits', async () => {
  await hold(api, ['a']);
  const { id, digest } = await waiting(api);
  const kept = await api.call('POST', `/losses/${id}/keep`, {
    json: { digest, reason: 'in use', all: true },
  });
  expect(kept.status).toBe(200);
  await hold(api, []);
  await sql`UPDATE losses SET resolved_at = now() - interval '3 days'`.execute(api.db);
  await hold(api, ['b', 'c']);
  await hold(api, ['c']);
  // Interrupted two days ago, and another a moment ago.
  for (const days of [2, 0]) {
    const job = await claimed(api);
    const attempt = await job.begin();
    await upload(api, attempt, { last: false, records: [heldRecord('x')] });
    await sql`UPDATE loss_uploads SET at = now() - make_interval(days => ${days}) WHERE job_id = ${job.id}`.execute(
      api.db,
    );
    await job.end(attempt.ref);
    await job.finish();
  }
  await purge(api.db, { logsSeconds: undefined, jobsSeconds: 24 * 3600 });
  expect((await api.call('GET', '/losses?status=all')).body).toMatchObject([{ status: 'waiting', count: 1 }]);
  const rows = await api.db.selectFrom('loss_records').select('id').orderBy('id').execute();
  expect(rows.map(({ id }) => id)).toEqual(['c', 'x']);
});
