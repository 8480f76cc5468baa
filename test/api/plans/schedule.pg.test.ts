/** MODE=plan: a schedule starts plans, which keep its promise; nothing is applied unless a person does it. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { scheduleActivities } from '../../../activities/schedules.ts';
import { writeBaselines } from '../../../src/db/schedules/baselines.ts';
import { dueSince, readScheduleNumbers } from '../../../src/engine/overdue.ts';
import { grantOf } from '../../../src/domain/permission.ts';
import { person } from '../losses/support.ts';
import { type Api, setup } from '../support.ts';
import { completed, forgetAll } from './support.ts';

const ID = 'dev.nightly.sync';
let api: Api;
beforeAll(async () => {
  api = await setup({
    files: { 'dev/nightly-sync': ['TARGET=nightly', 'ACTION=sync', 'SCHEDULE=every 60s', 'MODE=plan'] },
  });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => forgetAll(api));

async function fire(nominalTime = new Date().toISOString()) {
  const { db, temporal, params, config } = api.deps;
  const { fireSchedule } = scheduleActivities({ db, temporal, params, defaults: config });
  return await new MockActivityEnvironment().run(fireSchedule, { schedule: ID, nominalTime });
}

const jobs = async () =>
  await api.db.selectFrom('jobs').select(['action', 'action_name', 'trigger', 'options']).execute();

it('a firing starts a plan of the action; the next one during it starts nothing more', async () => {
  expect(await fire('2026-11-22T01:00:00.000Z')).toBe('started');
  expect(await fire('2026-11-22T01:00:00.000Z')).toBe('started');
  expect(await jobs()).toEqual([
    { action: 'plan', action_name: 'plan-sync', trigger: 'schedule', options: '-n 1000 -c 1 --of sync' },
  ]);
  expect(await fire('2026-11-22T01:01:00.000Z')).toBe('superseded');
  expect(await jobs()).toHaveLength(1);
});

it('a sync since then does not stand for the plan', async () => {
  const nominal = new Date().toISOString();
  await completed(api, '/sync/nightly/dev');
  expect(await fire(nominal)).toBe('started');
});

it('running it by hand starts a plan, too, with the rights of the action', async () => {
  const { token } = await person(api, grantOf('operator', ['dev'], ['sync']));
  const denied = await person(api, grantOf('operator', ['dev'], ['delta', 'plan']));
  expect((await api.call('POST', `/schedules/${ID}/run`, { token: denied.token })).status).toBe(403);
  const { status, body } = await api.call('POST', `/schedules/${ID}/run`, { token });
  expect([status, body.job_type, body.parameters.action]).toEqual([202, 'plan-sync', 'plan']);
  const { body: list } = await api.call('GET', '/schedules');
  expect(list.schedules.find((one: any) => one.id === ID)).toMatchObject({ action: 'sync', mode: 'plan' });
});

it('its promise is kept by a plan, and by nothing else', async () => {
  const { params } = api.deps;
  const file = params.schedules.find(({ schedule }) => schedule.id === ID);
  if (!file) throw new Error('no such schedule');
  await writeBaselines(api.db, new Map([[ID, 'every 60s']]));
  const ages = async () => {
    await api.db
      .updateTable('schedule_promises')
      .set({ since: new Date('2026-11-22T00:00:00Z') })
      .execute();
    return dueSince(file, await readScheduleNumbers(api.db, params));
  };
  await completed(api, '/sync/nightly/dev');
  expect((await ages())?.toISOString()).toBe('2026-11-22T00:01:00.000Z');
  await completed(api, '/plan/sync/nightly/dev');
  expect((await ages())?.getTime()).toBeGreaterThan(Date.now());
});
