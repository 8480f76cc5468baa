/** PROMOTE_FROM and plans: a plan and its apply need what the planned action needs, and an apply elsewhere is such a run. */
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access --
   answers are untyped JSON, as for any client */
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { scheduleActivities } from '../../../activities/schedules.ts';
import { type Api, claim, setup } from '../support.ts';
import { apply, completed, DIGEST, forgetAll, plan } from './support.ts';

let api: Api;
beforeAll(async () => {
  const file = ['TARGET=careful', 'ACTION=sync'];
  const guarded = [...file, 'PROMOTE_FROM=qas', 'SCHEDULE=every 60s', 'MODE=plan'];
  api = await setup({
    files: {
      'qas/careful-sync': file,
      'qas/careful-delta': ['TARGET=careful', 'ACTION=delta'],
      'dev/careful-sync': guarded,
    },
  });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => forgetAll(api));

const HERE = '/plan/sync/careful/dev';
const THERE = '/plan/sync/careful/qas';

async function applied(where: string, summary = {}): Promise<void> {
  const { body } = await apply(api, await plan(api, { where, summary }));
  const job = await claim(api, { id: body.job_id, env: body.ENV, target: body.TARGET });
  await job.end((await job.begin()).ref);
  await job.finish();
}

async function refusal(where: string, json?: object) {
  const { status, body } = await api.call('POST', where, json === undefined ? {} : { json });
  expect([status, body.code]).toEqual([409, 'not_promoted']);
  return body.detail as string;
}

it('a plan is refused until the action has run elsewhere; its apply is refused once that run counts no more', async () => {
  expect(await refusal(HERE)).toContain("sync of target 'careful' may not start in env 'dev'");
  await plan(api, { where: THERE });
  await refusal(HERE);
  const there = await completed(api, '/sync/careful/qas');
  const id = await plan(api, { where: HERE });
  await api.db
    .updateTable('jobs')
    .set({ finished_at: new Date(0) })
    .where('id', '=', there)
    .execute();
  await refusal(`/plans/${id}/apply`, { digest: DIGEST });
  await completed(api, '/sync/careful/qas');
  expect((await apply(api, id)).status).toBe(202);
});

it('an apply elsewhere is a run of the planned action, for the action itself and for a plan', async () => {
  await applied('/plan/delta/careful/qas', { of: 'delta' });
  await refusal('/sync/careful/dev');
  await applied(THERE);
  await applied(HERE);
  expect((await api.call('POST', '/sync/careful/dev')).status).toBe(202);
});

it('a firing of MODE=plan is skipped with the reason, and starts once the action has run elsewhere', async () => {
  const { db, temporal, params, config } = api.deps;
  const { fireSchedule } = scheduleActivities({ db, temporal, params, defaults: config });
  const fire = async (nominalTime: string) =>
    await new MockActivityEnvironment().run(fireSchedule, { schedule: 'dev.careful.sync', nominalTime });
  expect(await fire('2026-11-22T01:00:00.000Z')).toBe('skipped');
  await completed(api, '/sync/careful/qas');
  expect(await fire('2026-11-22T01:01:00.000Z')).toBe('started');
});
