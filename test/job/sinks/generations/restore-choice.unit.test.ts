import { expect, it } from 'vitest';
import type {
  CopyFacts,
  CopyQuery,
  CopyStore,
} from '../../../../src/job/sinks/generations/removed-copies.ts';
import { chooseCopies } from '../../../../src/job/sinks/generations/restore-choice.ts';

const copy = (id: string, job: number, at: string): CopyFacts => ({
  key: `${id} ${at}`,
  id,
  job: { job_id: job, job_uid: null, action: 'delete', at: `2026-01-01T00:00:0${at}.000Z` },
});

/** The copies of a server that has these. */
function storeOf(all: readonly CopyFacts[]): CopyStore {
  const isFound = (query: CopyQuery, { id, job }: CopyFacts): boolean => {
    if ('ids' in query) return query.ids.includes(id);
    return 'job' in query && String(job.job_id) === query.job;
  };
  async function* stream(query: CopyQuery): AsyncGenerator<readonly CopyFacts[]> {
    yield all.filter((one) => isFound(query, one));
  }
  return { stream } as unknown as CopyStore;
}

async function chosen(all: readonly CopyFacts[], before: string | null, ids: readonly string[]) {
  const of = { alias: 'cities', sink: 'Solr', copies: storeOf(all) };
  const { before: job, pages } = await chooseCopies(of, { before, expect: null, only: { ids } });
  const keys: string[] = [];
  for await (const page of pages()) keys.push(...page.map(({ key }) => key));
  return { job: job.job_id, keys };
}

it('a record that the first attempt of a job removed comes back before that job, whatever a later attempt removed', async () => {
  const all = [copy('a', 7, '4'), copy('b', 7, '2')];
  expect(await chosen(all, '7', ['b', 'a'])).toEqual({ job: 7, keys: ['a 4', 'b 2'] });
});

it('of several copies of a record the oldest from the named job on is chosen; without a job the newest', async () => {
  const all = [copy('a', 6, '1'), copy('a', 7, '3'), copy('a', 8, '5'), copy('b', 8, '6')];
  expect(await chosen(all, '7', ['a'])).toEqual({ job: 7, keys: ['a 3'] });
  expect(await chosen(all, null, ['b', 'a'])).toEqual({ job: 8, keys: ['a 5', 'b 6'] });
  await expect(chosen(all, '9', ['a'])).rejects.toThrow(
    /the job 9 removed are kept \(KEEP_CHANGES\); "a" was removed by the delete of job 8 at .*: --before 8$/,
  );
});
