/** Maintenance, sync jobs of outside runs, targets, schedules. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Registry } from 'prom-client';
import { sql } from 'kysely';
import { insertFiring } from '../../src/db/schedules/firings.ts';
import { readInstallation } from '../../src/db/migrate.ts';
import { JobParams } from '../../src/job-params/load.ts';
import { addJobMetrics, readJobNumbers } from '../../src/metrics/job-metrics.ts';
import { syncSchedules } from '../../src/temporal/schedules.ts';
import { signToken } from '../../src/api/auth/tokens.ts';
import { addUser } from '../../src/db/access/users.ts';
import { type Grant, grantOf, unlimited } from '../../src/domain/permission.ts';
import { type Api, claimed, setup, justNow } from './support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, sync_jobs, schedule_firings CASCADE`.execute(api.db);
});

/** A new user. */
async function tokenWith(grant: Grant) {
  users += 1;
  const name = `user-${users}`;
  await addUser(api.db, { username: name, passwordHash: 'none', grant }, { principal: 'test' });
  const authTime = justNow();
  return { name, token: await signToken(api.deps.config.secrets, { sub: name, authTime }) };
}
let users = 0;

describe('maintenance', () => {
  it('maintenance holds back jobs that have not begun, and pokes them afterwards', async () => {
    const running = await claimed(api, '/sync/alpha/qas');
    const paused = await api.call('POST', '/maintenance-status', { json: { msg: 'Solr', paused: true } });
    expect([paused.status, paused.body]).toEqual([
      200,
      {
        msg: 'Solr',
        paused: true,
        timestamp: expect.any(String),
        set_by: 'admin',
        engine: 'PAUSING',
        running_jobs: 1,
      },
    ]);
    const { body } = await api.call('POST', '/sync/beta/dev');
    const held = (await api.call('GET', `/jobs/${body.job_id}`)).body;
    expect([held.status, held.status_reason]).toEqual(['waiting', 'maintenance']);
    const waiting = async (words: string) =>
      (await api.call('GET', `/jobs?status=${words}`)).body.map((job: { id: number }) => job.id);
    expect(await waiting('maintenance')).toEqual([body.job_id]);
    expect(await waiting('maintenance,starting')).toEqual([body.job_id, running.id]);
    expect(await waiting('quota')).toEqual([]);
    const handle = api.deps.temporal.client.workflow.getHandle('syncrator/dev/beta');
    await expect(handle.describe()).rejects.toThrow(/not found/);
    await running.finish();
    expect((await api.call('GET', '/maintenance-status')).body.engine).toBe('PAUSED');
    const on = await api.call('POST', '/maintenance-status', { json: { msg: 'done', pause: 0 } });
    expect([on.body.paused, on.body.engine]).toEqual([false, 'RUNNING']);
    expect((await api.call('GET', `/jobs/${body.job_id}`)).body.status).toBe('queued');
    expect((await handle.describe()).status.name).toBe('RUNNING');
    const history = (await api.call('GET', '/maintenance-history?limit=2')).body;
    expect(history.map((entry: { msg: string }) => entry.msg)).toEqual(['done', 'Solr']);
  });
});

describe('sync jobs', () => {
  it('sync jobs of outside runs are recorded, masked, changed and listed', async () => {
    const json = { type: 'sync', data_source: 'cron', target_datastore_url: 'postgres://u:p@ss@host/db' };
    const added = await api.call('POST', '/sync_jobs', { json });
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      total_records: 0,
      completed: null,
      outside: true,
      job_id: null,
      target_datastore_url: 'postgres://<FILTERED>@host/db',
    });
    const end = { completed: true, total_records: 5, end_time: '2026-11-22T02:00:00+01:00' };
    const changed = await api.call('PUT', `/sync_jobs/${added.body.id}`, { json: end });
    expect(changed.body).toMatchObject({
      completed: true,
      total_records: 5,
      end_time: '2026-11-22T01:00:00.000Z',
    });
    expect((await api.call('GET', '/sync_jobs')).body).toEqual([changed.body]);
    expect((await api.call('POST', '/sync/alpha/dev')).status).toBe(202);
    expect((await api.call('PUT', '/sync_jobs/999999', { json: end })).status).toBe(404);
    expect((await api.call('PUT', `/sync_jobs/${added.body.id}`, { json: {} })).status).toBe(422);
  });

  it('sync jobs of outside runs are changed only by their owner and by admins without limits', async () => {
    const ada = await tokenWith(grantOf('operator', ['qas'], ['delta']));
    const bob = await tokenWith(unlimited('operator'));
    const chief = await tokenWith(grantOf('admin', ['qas'], []));
    const json = { type: 'delta', data_source: 'nightly', total_records: 48_211 };
    const wrong = await api.call('POST', '/sync_jobs', { token: ada.token, json: { type: 'sync' } });
    expect([wrong.status, wrong.body.outside]).toEqual([403, { action: 'sync' }]);
    const { id } = (await api.call('POST', '/sync_jobs', { token: ada.token, json })).body;
    const where = `/sync_jobs/${id}`;
    const forged = { completed: false, total_records: 0, data_source: 'forged' };
    for (const { token } of [bob, chief]) {
      const refused = await api.call('PUT', where, { token, json: forged });
      expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
      expect(refused.body.detail).toContain(`recorded by ${ada.name}`);
    }
    const own = await api.call('PUT', where, { token: ada.token, json: { completed: true } });
    expect(own.body).toMatchObject({ completed: true, total_records: 48_211 });
    expect((await api.call('PUT', where, { json: { total_records: 7 } })).status).toBe(200);
    const { rows } = await sql<{ verb: string; detail: object }>`SELECT verb, detail FROM audit
      WHERE object = ${`sync job ${id}`} AND refused IS NULL ORDER BY id`.execute(api.db);
    expect(rows).toEqual([
      { verb: 'add', detail: json },
      { verb: 'change', detail: { before: { completed: null }, after: { completed: true } } },
      { verb: 'change', detail: { before: { total_records: 48_211 }, after: { total_records: 7 } } },
    ]);
  });

  it('sync jobs that an older version recorded belong to the owner named in the audit', async () => {
    const ada = await tokenWith(unlimited('operator'));
    const bob = await tokenWith(unlimited('operator'));
    const { id } = (await api.call('POST', '/sync_jobs', { token: ada.token, json: { type: 'sync' } })).body;
    await sql`UPDATE sync_jobs SET recorded_by = NULL WHERE id = ${id}`.execute(api.db);
    const change = async (token: string) =>
      (await api.call('PUT', `/sync_jobs/${id}`, { token, json: { completed: true } })).status;
    expect([await change(bob.token), await change(ada.token)]).toEqual([403, 200]);
  });

  it('sync jobs of outside runs are recorded at most once a second, after a burst', async () => {
    await using own = await setup();
    const record = () => own.call('POST', '/sync_jobs', { json: { type: 'sync' } });
    let taken = 0;
    let last = await record();
    // On a slow machine it comes later.
    for (; last.status === 201 && taken < 300; taken += 1) last = await record();
    expect([last.status, last.body.code, last.headers.get('retry-after')]).toEqual([
      429,
      'too_many_records',
      '1',
    ]);
    expect(taken).toBeGreaterThanOrEqual(50);
  });

  it('sync jobs of the product are written only by their own program', async () => {
    const job = await claimed(api);
    const { token } = await job.begin();
    await api.call('PUT', `/jobs/${job.id}/report`, { token, json: { seq: 1, phase: 'reading' } });
    const [mine] = (await api.call('GET', '/sync_jobs')).body;
    expect([mine.outside, mine.job_id]).toEqual([false, job.id]);
    const answer = await api.call('PUT', `/sync_jobs/${mine.id}`, { json: { completed: true } });
    expect([answer.status, answer.body.code]).toEqual([409, 'ours']);
  });
});

describe('targets', () => {
  it('targets show what can run, what last succeeded, and what runs now', async () => {
    const job = await claimed(api);
    await job.finish();
    const active = (await api.call('POST', '/delta/alpha/dev')).body.job_id;
    const { body } = await api.call('GET', '/targets/alpha');
    const dev = body.environments.find((of: { env: string }) => of.env === 'dev');
    expect(dev).toMatchObject({
      last_success_job_id: job.id,
      active_job: { id: active, status: 'queued' },
      last_job: { id: active, status: 'queued' },
    });
    expect(dev.actions.map((a: { path: string }) => a.path)).toContain('/sync/alpha/dev');
    const others: Record<string, number> = {};
    for (const where of ['/sync/beta/dev', '/sync/alpha/qas', '/sync/hetarchief_video/qas'])
      others[where] = (await api.call('POST', where)).body.job_id;
    const all: any[] = (await api.call('GET', '/targets')).body;
    const newest = all.flatMap((t) => t.environments.map((of: any) => [t.name, of.env, of.last_job?.id]));
    expect(newest).toEqual([
      ['alpha', 'dev', active],
      ['alpha', 'qas', others['/sync/alpha/qas']],
      ['archiefvideo', 'qas', others['/sync/hetarchief_video/qas']],
      ['beta', 'dev', others['/sync/beta/dev']],
      ['nosync', 'dev', undefined],
      ['outside', 'dev', undefined],
    ]);
    const names = (await api.call('GET', '/targets')).body.map((t: { name: string }) => t.name);
    expect(names).toEqual(['alpha', 'archiefvideo', 'beta', 'nosync', 'outside']);
    expect((await api.call('GET', '/targets/hetarchief_video')).body.name).toBe('archiefvideo');
    for (const rest of ['', '/alpha', '/alpha/jobs'])
      expect((await api.call('GET', `/api/products${rest}`)).body).toEqual(
        (await api.call('GET', `/targets${rest}`)).body,
      );
  });
});

describe('schedules', () => {
  it('schedules show their firings and, from Temporal, pause and next firing', async () => {
    await syncSchedules({ ...api.deps, installation: await readInstallation(api.db) });
    const time = new Date('2026-11-22T01:00:00Z');
    await insertFiring(api.db, {
      schedule: 'qas.alpha.sync',
      nominal_time: time,
      job_id: null,
      outcome: 'skipped',
      detail: 'held by job 3',
    });
    // A Temporal that is slow on a loaded machine counts as unreachable: repeat until it is in time.
    const told = () =>
      vi.waitFor(
        async () => {
          const answer = await api.call('GET', '/schedules');
          expect(answer.body.temporal).toBe('ok');
          return answer.body;
        },
        { timeout: 30_000 },
      );
    const body = await told();
    expect(body.schedules.map((s: { id: string }) => s.id)).toEqual(['dev.beta.sync', 'qas.alpha.sync']);
    expect(body.schedules[1]).toMatchObject({
      schedule: '0 1 * * *',
      paused: false,
      last_firings: [
        { nominal_time: '2026-11-22T01:00:00.000Z', outcome: 'skipped', detail: 'held by job 3' },
      ],
    });
    expect(body.schedules[1].next[0]).toMatch(/T01:00:00\.000Z$/);
    const [newest, before] = body.schedules[1].previous.map((time: string) => Date.parse(time));
    expect(Date.parse(body.schedules[1].next[0]) - newest).toBe(86_400_000);
    expect(newest - before).toBe(86_400_000);
    expect((await api.call('POST', '/schedules/qas.alpha.sync/pause')).body).toEqual({
      id: 'qas.alpha.sync',
      paused: true,
    });
    const paused = (await told()).schedules[1];
    expect([paused.paused, paused.note]).toEqual([true, 'paused by admin']);
    expect((await api.call('POST', '/schedules/qas.alpha.sync/resume')).status).toBe(200);
    await expect.poll(async () => (await api.call('GET', '/schedules')).body.schedules[1].paused).toBe(false);
  });

  it('schedules are created even if Temporal refuses an earlier one, which is named with Temporal’s words', async () => {
    const { schedule } = api.deps.temporal.client;
    const handle = schedule.getHandle('dev.beta.sync');
    await handle.delete().catch(() => undefined);
    await schedule
      .getHandle('qas.alpha.sync')
      .delete()
      .catch(() => undefined);
    const installation = await readInstallation(api.db);
    const files = api.deps.params.files.map((file) =>
      file.schedule?.id === 'dev.beta.sync'
        ? { ...file, schedule: { ...file.schedule, spec: { kind: 'cron' as const, cron: '0 2 L * *' } } }
        : file,
    );
    await syncSchedules({ ...api.deps, params: new JobParams(files), installation });
    const told = async () =>
      await vi.waitFor(
        async () => {
          const { body } = await api.call('GET', '/schedules');
          expect(body.temporal).toBe('ok');
          return body.schedules;
        },
        { timeout: 30_000 },
      );
    const refused = expect.stringContaining('DayOfMonth is not in range [1-31]');
    expect(await told()).toMatchObject([
      { id: 'dev.beta.sync', refused, next: null },
      { id: 'qas.alpha.sync', refused: null, next: expect.arrayContaining([expect.any(String)]) },
    ]);
    expect(await api.call('POST', '/schedules/dev.beta.sync/pause')).toMatchObject({
      status: 503,
      body: {
        code: 'schedule_not_made',
        detail: expect.stringContaining('Temporal rejects dev.beta.sync: '),
      },
    });
    const measured = async () => {
      const registry = new Registry();
      addJobMetrics(registry, api.deps.params, () => readJobNumbers(api.db, api.deps.params, new Date()));
      return (await registry.metrics())
        .split('\n')
        .filter((line) => line.startsWith('syncrator_schedule_refused'));
    };
    expect(await measured()).toEqual([
      'syncrator_schedule_refused{schedule="dev.beta.sync",env="dev",target="beta",action="sync"} 1',
      'syncrator_schedule_refused{schedule="qas.alpha.sync",env="qas",target="alpha",action="sync"} 0',
    ]);
    await syncSchedules({ ...api.deps, installation });
    expect((await told()).map((one: { refused: string | null }) => one.refused)).toEqual([null, null]);
    expect((await measured()).every((line) => line.endsWith(' 0'))).toBe(true);
  });

  it('a schedule is paused with a note, which Temporal and the audit keep without credentials', async () => {
    await syncSchedules({ ...api.deps, installation: await readInstallation(api.db) });
    const where = '/schedules/qas.alpha.sync/pause';
    const noted = async () =>
      (await api.deps.temporal.client.schedule.getHandle('qas.alpha.sync').describe()).state.note;
    const audited = async () =>
      (
        await api.db
          .selectFrom('audit')
          .select(['principal', 'verb', 'detail'])
          .where('object', '=', 'schedule qas.alpha.sync')
          .orderBy('id', 'desc')
          .executeTakeFirstOrThrow()
      ).detail;
    const json = { note: ' moving http://me:s3cret@solr/ ' };
    expect((await api.call('POST', where, { json })).body).toEqual({ id: 'qas.alpha.sync', paused: true });
    expect(await noted()).toBe('paused by admin: moving http://<FILTERED>@solr/');
    expect(await audited()).toEqual({ note: 'moving http://<FILTERED>@solr/' });
    for (const asked of [
      { json: {} },
      {},
      { json: { note: '' } },
      { headers: { 'content-type': 'application/json' } },
    ]) {
      expect((await api.call('POST', where, asked)).status).toBe(200);
      expect([await noted(), await audited()]).toEqual(['paused by admin', null]);
    }
    for (const wrong of [{ note: 'x'.repeat(201) }, { note: 5 }, { colour: 'red' }])
      expect((await api.call('POST', where, { json: wrong })).status).toBe(422);
    expect((await api.call('POST', where, { body: 'note=x' })).status).toBe(415);
    expect((await api.call('POST', '/schedules/qas.alpha.sync/resume', { json })).status).toBe(422);
  });

  it('a schedule runs at once on request', async () => {
    const first = await api.call('POST', '/schedules/qas.alpha.sync/run');
    expect([first.status, first.body.target, first.body.status]).toEqual([202, 'alpha', 'queued']);
    const again = await api.call('POST', '/schedules/qas.alpha.sync/run');
    expect([again.status, again.body.id]).toEqual([200, first.body.id]);
  });
});
