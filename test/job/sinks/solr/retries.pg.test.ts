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
});
