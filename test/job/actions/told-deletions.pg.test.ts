/** Deletions that a source tells in a delta: what the history of Postgres keeps of them, and sources that contradict themselves. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { startOaiProvider } from '../../support/oai-pmh/provider.ts';
import { someRecords, titled } from '../../support/oai-pmh/repository.ts';
import { type Setup, setup } from '../support/setup.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);
const stamp = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
const uid = (nth: number): string => `00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`;

/** An answer that says the record is there. */
function denying(usual: string): Response {
  const body = usual.replace(' status="deleted"', '');
  return new Response(body, { headers: { 'content-type': 'text/xml; charset=utf-8' } });
}

async function repository(count = 60) {
  const provider = await startOaiProvider(...someRecords(count));
  const t = await setup();
  const settings = { SOURCE: 'oai-pmh', SOURCE_URL: provider.url };
  let nth = 0;
  const attempt = async (options: string, more: Record<string, string> = {}) => {
    nth += 1;
    const job = { SYNCRATOR_JOB_UID: uid(nth), SYNCRATOR_ORIGIN_UID: uid(nth) };
    return await t.run(`${options} --api_job_id ${nth}`, { ...settings, ...job, ...more });
  };
  const run = async (options: string, more: Record<string, string> = {}): Promise<void> => {
    const { code, output } = await attempt(options, more);
    expect([code, output]).toEqual([EXIT.ok, output]);
  };
  await run('sync');
  return {
    provider,
    t,
    run,
    attempt,
    remove: (...ids: number[]) =>
      provider.put(
        ...ids.map((id) => ({ ...titled(`oai:x:${String(id).padStart(4, '0')}`, stamp()), isDeleted: true })),
      ),
    async [Symbol.asyncDispose]() {
      await t[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}

describe('a deletion that a source tells in a delta', () => {
  it('is undone by a rollback, and the next delta leaves what the rollback restored', async () => {
    await using r = await repository();
    const { t, run } = r;
    const before = await t.md5();
    r.remove(1, 2, 3);
    await run('delta');
    expect(last(t)).toMatchObject({ deleted: 3 });
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(57);
    await run('rollback --before 2');
    expect(last(t)).toMatchObject({ added: 3, updated: 0, deleted: 0 });
    expect(await t.md5()).toBe(before);
    await run('delta');
    expect(last(t)).toMatchObject({ deleted: 0, kept: 3 });
    expect(await t.md5()).toBe(before);
    r.provider.put(titled('oai:x:0001', stamp(), 'again'));
    await run('delta');
    expect(last(t)).toMatchObject({ updated: 1, kept: 2 });
    await run('delta --force-delete');
    expect(last(t)).toMatchObject({ deleted: 2 });
  });

  it('is ignored while the source still has the record when it is asked for it', async () => {
    await using r = await repository();
    const { t, run, provider } = r;
    r.remove(1, 2, 3);
    // It comes back between the list and the question.
    provider.lie = ({ verb, identifier }, _count, usual) =>
      verb === 'GetRecord' && identifier === 'oai:x:0001' ? denying(usual) : undefined;
    await run('delta');
    expect(last(t)).toMatchObject({ deleted: 2, kept: 1 });
    expect(last(t)?.warnings).toContainEqual(expect.stringContaining('told as deleted'));
    expect(await t.names()).toHaveProperty(['oai:x:0001']);
  });

  it('removes nothing of a repository that keeps no deletions', async () => {
    await using r = await repository();
    r.provider.deletedRecord = 'no';
    r.remove(1);
    await r.run('delta');
    expect(last(r.t)).toMatchObject({ deleted: 0 });
    expect(await r.t.names()).toHaveProperty(['oai:x:0001']);
  });

  it('removes nothing without an answer if the source denies it for many records', {
    timeout: 120_000,
  }, async () => {
    await using r = await repository(1_300);
    const { t, attempt, provider } = r;
    const before = await t.md5();
    r.remove(...Array.from({ length: 1_200 }, (_, nth) => nth + 1));
    provider.lie = ({ verb }, _count, usual) => (verb === 'GetRecord' ? denying(usual) : undefined);
    const { code } = await attempt('delta --force-delete');
    expect(code).toBe(EXIT.incompleteListing);
    expect(last(t)?.message).toContain('the source says that it has deleted records');
    expect(await t.md5()).toBe(before);
  });

  it('is no removal of a record that another program wrote into the table', async () => {
    await using r = await repository();
    await r.t.query(
      `UPDATE syncrator.sinks SET synced = false; INSERT INTO cities VALUES ('oai:x:0999', '2020-01-01', '{}')`,
    );
    await r.t.query(`UPDATE syncrator.sinks SET synced = true`);
    await r.t.query(
      `INSERT INTO syncrator.kept (sink, id, reason) SELECT id, 'oai:x:0999', 'not_ours' FROM syncrator.sinks`,
    );
    r.remove(999);
    await r.run('delta');
    expect(last(r.t)).toMatchObject({ deleted: 0, kept: 1 });
    expect(await r.t.names()).toHaveProperty(['oai:x:0999']);
  });
});
