/** A program that is killed at a random moment leaves whole records, in every sink. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { changed, expected, job, type SetUp, type TestedSink } from './tested-sink.ts';

export function testRandomKills(name: string, setup: SetUp): void {
  describe(`a program that is killed at a random moment, writing ${name}`, () => {
    it.each(['sync', 'delta', 'delete', 'rollback'])(
      'during a %s has left whole records, and the next attempt ends as without the kill',
      { timeout: 240_000 },
      async (action) => {
        await using t = await setup(someRows(40));
        let id = 1;
        await t.run(`sync --api_job_id ${id}`, job(id));
        for (let round = 1; round <= 2; round += 1) {
          const { before, after } = await prepareRound(t, action, () => (id += 1));
          id += 1;
          const options = `${action} -n 5 --api_job_id ${id}`;
          const saved = t.receiver.reports.length;
          const { child, ended } = t.spawn(options, job(id));
          await expect.poll(() => t.receiver.reports.length, { interval: 5 }).toBeGreaterThan(saved);
          const delay = Math.floor(Math.random() * 400);
          const timer = setTimeout(() => child.kill('SIGKILL'), delay);
          await ended;
          clearTimeout(timer);
          const where = `${action}, round ${round}, killed after ${delay} ms`;
          const seen = await t.names();
          if (action === 'sync' || action === 'rollback') expect([before, after], where).toContainEqual(seen);
          const checkpoint = JSON.stringify(t.receiver.reports.slice(saved).at(-1)?.checkpoint ?? null);
          const again = { ...job(id, { attempt: 2 }), SYNCRATOR_CHECKPOINT: checkpoint };
          expect(await t.run(options, again), where).toMatchObject({ code: EXIT.ok });
          expect(await t.names(), where).toEqual(after);
        }
      },
    );
  });
}

/** Changes the source so that the action has something to do. @returns what readers see before and after it */
async function prepareRound(
  t: TestedSink,
  action: string,
  nextJob: () => number,
): Promise<{ before: Record<string, string>; after: Record<string, string> }> {
  const id = nextJob();
  const put = () => t.source.put(...changed(30, `of job ${id}`));
  if (action === 'rollback') {
    const after = await t.names();
    put();
    await t.run(`sync --api_job_id ${id}`, job(id));
    return { before: await t.names(), after };
  }
  const before = await t.names();
  if (action === 'delete') {
    const [first] = t.source.rows.keys();
    t.source.rows.delete(first ?? '');
  } else put();
  return { before, after: expected(t) };
}
