import { VERSION } from '../../../src/version.ts';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { JobError } from '../../../src/job/job-error.ts';
import { retryAfter } from '../../../src/job/http/retry-after.ts';
import { startFakeReceiver } from '../support/fake-receiver.ts';
import { page, someRows } from '../support/fake-source.ts';
import { setup } from '../support/setup.ts';

/** An address where no server listens any more. */
async function nowhere(): Promise<string> {
  const receiver = await startFakeReceiver();
  await receiver.close();
  return receiver.url;
}

describe('the reports of a run', () => {
  it('begin before source and sink are touched, have increasing numbers and identify the run', async () => {
    await using t = await setup(someRows(10));
    t.receiver.answer = async (_report, count) => {
      if (count === 1) {
        expect(t.source.requests).toEqual([]);
        expect(
          await t.query(
            `SELECT 1 FROM pg_stat_activity WHERE application_name = 'syncrator-job' AND datname = current_database()`,
          ),
        ).toEqual([]);
      }
      return new Response(null, { status: 204 });
    };
    expect((await t.run('sync -n 5 --api_job_id 3')).code).toBe(EXIT.ok);
    const { reports } = t.receiver;
    expect(reports.map(({ seq }) => seq)).toEqual(reports.map((_, index) => index + 1));
    expect(reports[0]).toMatchObject({ seq: 1, phase: 'starting', options: 'sync -n 5 --api_job_id 3' });
    expect(reports.at(-1)).toMatchObject({ phase: 'done', data_source: t.source.url, version: VERSION });
    expect(reports.at(-1)?.target_datastore_url).toMatch(/^postgres(ql)?:\/\/<FILTERED>@/);
    expect(new Set(t.receiver.authorizations)).toEqual(new Set(['Bearer 1.1.secret-mac']));
  });

  it.each([401, 403, 404, 409, 410])(
    'end the run before any change if the first one is answered with %i',
    async (status) => {
      await using t = await setup(someRows(3));
      t.receiver.answer = () => new Response('', { status });
      expect((await t.run('sync', { SINK: 'unheard-of' })).code).toBe(EXIT.refused);
      expect(t.receiver.reports).toHaveLength(1);
      expect(t.source.requests).toEqual([]);
      expect(await t.query(`SELECT 1 FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
    },
  );

  it.each([500, 503, 429])('repeat the first one unchanged after a %i', async (status) => {
    await using t = await setup(someRows(3));
    t.receiver.answer = (_report, count) =>
      count === 1 ? new Response('', { status, headers: { 'retry-after': '0' } }) : new Response('');
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(t.receiver.reports.map(({ seq }) => seq).slice(0, 3)).toEqual([1, 1, 2]);
  });

  it('wait for Retry-After', async () => {
    await using t = await setup(someRows(3));
    const times: number[] = [];
    t.receiver.answer = (_report, count) => {
      times.push(performance.now());
      return count === 1
        ? new Response('', { status: 429, headers: { 'retry-after': '1' } })
        : new Response(null, { status: 204 });
    };
    await t.run('sync');
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(950);
  });

  it('do not stop the work if the receiver is unreachable', async () => {
    await using t = await setup(someRows(3));
    const ended = await t.run('sync', { SYNCRATOR_REPORT_URL: await nowhere() });
    expect(ended.code).toBe(EXIT.ok);
    expect(ended.output).toContain('ECONNREFUSED');
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(3);
  });

  it('are optional', async () => {
    await using t = await setup(someRows(3));
    expect((await t.run('sync', { SYNCRATOR_REPORT_URL: '' })).code).toBe(EXIT.ok);
    expect(t.receiver.reports).toEqual([]);
  });

  it('stop the run before its next batch if one is refused', async () => {
    await using t = await setup(someRows(40));
    await t.run('sync');
    const before = await t.md5();
    t.source.put(...someRows(40, new Date().toISOString()).map((row) => ({ ...row, name: 'changed' })));
    t.source.pageSize = 10;
    let asked = 0;
    t.source.bend = (listing) => {
      asked += 1;
      return asked > 2 ? new Promise<Response>(() => {}) : page(listing);
    };
    t.receiver.answer = ({ phase }) => new Response('', { status: phase === 'starting' ? 200 : 410 });
    expect((await t.run('sync -n 10')).code).toBe(EXIT.refused);
    expect(await t.md5()).toBe(before);
  });

  it('are sent at most once a second and never concurrently', async () => {
    await using t = await setup(someRows(2000));
    t.source.pageSize = 100;
    t.source.bend = async (listing) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return page(listing);
    };
    const times: number[] = [];
    let atOnce = 0;
    t.receiver.answer = async ({ phase }) => {
      expect((atOnce += 1)).toBe(1);
      if (phase === 'loading') times.push(performance.now());
      await new Promise((resolve) => setTimeout(resolve, 50));
      atOnce -= 1;
      return new Response(null, { status: 204 });
    };
    expect((await t.run('sync -n 10')).code).toBe(EXIT.ok);
    expect(times.length).toBeGreaterThan(0);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const gap of gaps) expect(gap).toBeGreaterThan(900);
  });

  it('continue while nothing changes', async () => {
    await using t = await setup(someRows(3));
    t.source.bend = () => new Promise<Response>(() => {});
    const terminate = new AbortController();
    const run = t.run('sync', {}, terminate.signal);
    await expect.poll(() => t.receiver.reports.length, { timeout: 12_000 }).toBe(3);
    terminate.abort(new JobError('terminated', 'enough'));
    expect((await run).code).toBe(EXIT.terminated);
  });

  it('never contain a secret', async () => {
    await using t = await setup(someRows(3));
    const { host } = new URL(await nowhere());
    const environment = {
      SINK_URL: `postgres://me:s3cr3t@${host}/x`,
      SOURCE_URL: `http://me:s3cr3t@${host}/`,
    };
    for (const action of ['sync --debug', 'rollback --debug']) {
      const ended = await t.run(action, environment);
      expect(ended.code).toBe(EXIT.sinkUnreachable);
      expect(ended.output + JSON.stringify(t.receiver.reports)).not.toContain('s3cr3t');
      expect(ended.output).not.toContain('secret-mac');
    }
  });
});

describe('the parser of Retry-After', () => {
  it.each([
    ['3', 3_000],
    ['Thu, 01 Jan 1970 00:00:05 GMT', 4_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', null],
    [null, null],
  ])('reads %j as %j ms', (header, expected) => expect(retryAfter(header, 1_000)).toBe(expected));
});
