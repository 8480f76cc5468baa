/** A step is applied once, however often it is retried; a rollback goes exactly where it says, or nowhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 120_000);
afterAll(() => solr?.stop());

const now = (): string => new Date().toISOString();
const last = (t: SolrSetup) => t.receiver.reports.at(-1);
const uid = (nth: number): string => `00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`;
const job = (nth: number, more: { origin?: number; attempt?: number } = {}): Record<string, string> => ({
  SYNCRATOR_JOB_UID: uid(nth),
  SYNCRATOR_ORIGIN_UID: uid(more.origin ?? nth),
  SYNCRATOR_ATTEMPT: String(more.attempt ?? 1),
});

/** Two syncs, by jobs 1 and 2: the second one is bad. */
async function goodThenBad(t: SolrSetup): Promise<void> {
  expect((await t.run('sync --api_job_id 1', job(1))).code).toBe(EXIT.ok);
  for (const { id } of someRows(2)) t.source.rows.delete(id);
  t.source.put({ id: 'r00009', updated_at: now(), name: 'bad', pages: 1 });
  t.source.put({ id: 'zzz', updated_at: now(), name: 'bad' });
  expect((await t.run('sync --api_job_id 2', job(2))).code).toBe(EXIT.ok);
}

describe('a second attempt in Solr', () => {
  it('of a sync that has switched loads nothing and keeps the previous generation', async () => {
    await using t = await solrSetup(solr, someRows(20));
    await goodThenBad(t);
    const told = last(t);
    t.source.requests.length = 0;
    for (const again of [job(2, { attempt: 2 }), job(3, { origin: 2 })]) {
      const id = again['SYNCRATOR_JOB_UID'] === uid(2) ? 2 : 3;
      expect((await t.run(`sync --api_job_id ${id}`, again)).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ phase: 'done', added: 1, updated: 1, deleted: 2 });
    }
    expect(told).toMatchObject({ added: 1, updated: 1, deleted: 2 });
    expect(t.source.requests).toEqual([]);
    expect((await t.run('rollback --api_job_id 4', job(4))).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(20)));
  });

  it.each(['delta', 'delete'])('of a completed %s changes nothing', async (action) => {
    await using t = await solrSetup(solr, someRows(20));
    await t.run('sync --api_job_id 1', job(1));
    t.source.put({ id: 'r00004', updated_at: now(), name: 'changed' });
    t.source.rows.delete('r00005');
    expect((await t.run(`${action} --api_job_id 2`, job(2))).code).toBe(EXIT.ok);
    const { added, updated, deleted } = last(t) ?? {};
    expect([added, updated, deleted]).toEqual(action === 'delta' ? [0, 1, 0] : [0, 0, 1]);
    const before = await t.names();
    t.source.rows.delete('r00006');
    t.source.put({ id: 'r00007', updated_at: now(), name: 'changed' });
    t.source.requests.length = 0;
    expect((await t.run(`${action} --api_job_id 2`, job(2, { attempt: 2 }))).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ added, updated, deleted });
    expect(t.source.requests).toEqual([]);
    expect(await t.names()).toEqual(before);
    // The job's next step is another one.
    const next = { ...job(2), SYNCRATOR_STEP: '1' };
    expect((await t.run(`${action} --api_job_id 2`, next)).code).toBe(EXIT.ok);
    expect(await t.names()).not.toEqual(before);
  });

  it.each([
    ['tried again', 3, job(3, { attempt: 2 })],
    ['resumed', 4, job(4, { origin: 3 })],
  ])('of a rollback, %s, switches nothing', async (_, id, again) => {
    await using t = await solrSetup(solr, someRows(20));
    await goodThenBad(t);
    expect((await t.run('rollback --api_job_id 3', job(3))).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ added: 2, updated: 1, deleted: 1 });
    expect((await t.run(`rollback --api_job_id ${id}`, again)).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ added: 2, updated: 1, deleted: 1 });
    expect(await t.names()).toEqual(namesOf(someRows(20)));
  });
});

describe('a rollback in Solr', () => {
  it('by another job does not redo data that a rollback has undone, unless requested', async () => {
    await using t = await solrSetup(solr, someRows(20));
    await goodThenBad(t);
    const bad = await t.names();
    await t.run('rollback --api_job_id 3', job(3));
    expect((await t.run('rollback --api_job_id 4', job(4))).code).toBe(EXIT.nothingToRollBack);
    expect(last(t)?.message).toMatch(
      new RegExp(
        `the rollback of job 3 at .* has already undone the last sync; to undo .*--before ${uid(3)}`,
      ),
    );
    expect(await t.names()).toEqual(namesOf(someRows(20)));
    expect((await t.run(`rollback --before ${uid(3)} --api_job_id 5`, job(5))).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(bad);
  });

  it('reaches back only before the job of the last switch', async () => {
    await using t = await solrSetup(solr, someRows(20));
    await goodThenBad(t);
    await t.run('delta --api_job_id 3', job(3));
    const bad = await t.names();
    for (const nth of [1, 3]) {
      expect((await t.run(`rollback --before ${uid(nth)} --api_job_id 4`, job(4))).code).toBe(
        EXIT.nothingToRollBack,
      );
      expect(last(t)?.message).toMatch(
        new RegExp(
          `Solr keeps one generation, from before the sync of job 2 at .*, and none from before the job ${uid(nth)}`,
        ),
      );
    }
    expect(await t.names()).toEqual(bad);
    expect((await t.run(`rollback --before ${uid(2)} --api_job_id 5`, job(5))).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(20)));
  });

  it('previews its effect without changing anything, and --expect enforces the preview', async () => {
    await using t = await solrSetup(solr, someRows(20));
    expect((await t.run('rollback --preview')).code).toBe(EXIT.nothingToRollBack);
    await goodThenBad(t);
    const before = [await t.names(), await t.aliases(), await t.state()];
    expect((await t.run('rollback --preview --api_job_id 1', job(9))).code).toBe(EXIT.ok);
    const preview = last(t)?.rollback_preview;
    expect(preview).toMatchObject({
      before: { job_id: 2, job_uid: uid(2), action: 'sync' },
      added: 2,
      updated: 1,
      removed: 1,
      changed_by_others: 0,
      sample: [
        { id: 'r00001', change: 'added', fields: [] },
        { id: 'r00002', change: 'added', fields: [] },
        { id: 'r00009', change: 'updated', fields: ['updated_at', 'name', 'pages'] },
        { id: 'zzz', change: 'removed', fields: [] },
      ],
    });
    expect([await t.names(), await t.aliases(), await t.state()]).toEqual(before);

    t.source.put({ id: 'r00010', updated_at: now(), name: 'changed meanwhile' });
    await t.run('delta --api_job_id 3', job(3));
    const live = await t.names();
    const back = (digest = ''): string => `rollback --expect ${digest} --api_job_id 4`;
    expect((await t.run(back(preview?.digest), job(4))).code).toBe(EXIT.previewChanged);
    expect(await t.names()).toEqual(live);
    await t.run('rollback --preview');
    expect((await t.run(back(last(t)?.rollback_preview?.digest), job(4))).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(20)));
  });
});
