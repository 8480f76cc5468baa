import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { page, someRows } from './support/fake-source.ts';
import { namesOf, type Setup, setup } from './support/setup.ts';

/** Serves whole batches until `upTo`, then stops answering. */
function holdAfter(t: Setup, upTo: string, pageSize: number): void {
  t.source.pageSize = pageSize;
  t.source.bend = ({ query }) => (query['after'] === upTo ? new Promise<Response>(() => {}) : undefined);
}

/** The least that the real program puts into one transaction. */
const BATCH = 5_000;

describe('the sync program', () => {
  it('runs, writes plain log lines and exits with 0', async () => {
    await using t = await setup(someRows(10));
    const ended = await t.spawn(['sync', '--api_job_id', '1']).ended;
    expect(ended).toMatchObject({
      code: EXIT.ok,
      output: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*sync/) as string,
    });
    expect(ended.output).not.toContain(new URL(t.sinkUrl).password);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('exits with 2 for unknown arguments and reports nothing', async () => {
    await using t = await setup();
    const ended = await t.spawn(['sync', '--bogus']).ended;
    expect(ended).toMatchObject({ code: EXIT.usage, output: expect.stringContaining('--bogus') as string });
    expect(t.receiver.reports).toEqual([]);
    expect(await t.spawn(['--help']).ended).toMatchObject({ code: EXIT.ok });
  });

  it('exits with 4 and names the missing key and where to set it', async () => {
    await using t = await setup();
    const ended = await t.spawn(['sync'], { SINK_TABLE: '' }).ended;
    expect(ended.code).toBe(EXIT.notConfigured);
    expect(t.receiver.reports.at(-1)).toMatchObject({
      phase: 'failed',
      message: 'SINK_TABLE is missing; set it in the environment',
    });
  });

  it('exits with 5 without any change when its first report is refused', async () => {
    await using t = await setup(someRows(3));
    t.receiver.answer = () => new Response('', { status: 410 });
    expect((await t.spawn(['sync']).ended).code).toBe(EXIT.refused);
    expect(t.source.requests).toEqual([]);
    expect(await t.query(`SELECT 1 FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
  });

  it('finishes the current batch on SIGTERM, reports and exits with 143', async () => {
    await using t = await setup(someRows(3 * BATCH));
    holdAfter(t, 'r10000', BATCH);
    const { child, ended } = t.spawn(['sync', '-n', '50']);
    await expect.poll(() => t.loaded(), { timeout: 30_000 }).toBe(2 * BATCH);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(EXIT.terminated);
    expect(await t.names()).toBeNull();
    expect(t.receiver.reports.at(-1)).toMatchObject({
      phase: 'failed',
      message: 'ended by SIGTERM',
      records_done: 2 * BATCH,
      checkpoint: { action: 'load', mode: 'everything', total: 3 * BATCH },
    });
  });

  it('resumes from its checkpoint after a kill and repeats at most one batch', async () => {
    await using t = await setup(someRows(3 * BATCH));
    holdAfter(t, 'r10000', BATCH);
    const { child, ended } = t.spawn(['sync', '--api_job_id', '5']);
    const reported = (): unknown => t.receiver.reports.at(-1);
    await expect.poll(() => t.loaded(), { timeout: 30_000 }).toBe(2 * BATCH);
    await expect.poll(reported, { timeout: 20_000 }).toMatchObject({ records_done: 2 * BATCH });
    child.kill('SIGKILL');
    await ended;
    const saved = JSON.stringify(t.receiver.reports.at(-1)?.checkpoint);
    t.source.bend = null;
    t.source.requests.length = 0;
    const again = await t.spawn(['sync', '--api_job_id', '6'], { SYNCRATOR_CHECKPOINT: saved }).ended;
    expect(again.code).toBe(EXIT.ok);
    const listed = t.source.requests.filter((query) => query['fields'] === undefined);
    expect((listed[0]?.['after'] ?? '') >= 'r05000').toBe(true);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it.each([
    ['of another load', { load_id: '00000000-0000-4000-8000-000000000000' }],
    ['of a source with another total', { total: 299 }],
    ['of another action', { mode: 'changes' }],
    ['of nonsense', null],
  ])('starts over with a checkpoint %s', async (_, changed) => {
    await using t = await setup(someRows(300));
    holdAfter(t, 'r00200', 100);
    const interrupted = new AbortController();
    const first = t.run('sync -n 50', {}, interrupted.signal);
    await expect.poll(() => t.loaded()).toBe(200);
    interrupted.abort(new Error('enough'));
    await first;
    t.source.bend = (listing) => page(listing);
    t.source.requests.length = 0;
    const checkpoint = changed && { ...(t.receiver.reports.at(-1)?.checkpoint as object), ...changed };
    const ended = await t.run('sync', { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint) });
    expect(ended.code).toBe(EXIT.ok);
    expect(t.source.requests.find((query) => query['fields'] === undefined)?.['after']).toBeUndefined();
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });
});
