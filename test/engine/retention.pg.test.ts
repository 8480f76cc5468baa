/** Tests that a worker deletes expired rows by itself and keeps working. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { submitted } from '../support/bulk-jobs.ts';
import { params, startSystem } from '../support/system.ts';

test('a worker deletes logs older than KEEP_LOGS as it starts, logs that, and keeps younger ones', async () => {
  await using system = await startSystem({
    params: [params('old', 'sync', '--mute'), params('young', 'sync', '--mute')],
  });
  await system.startApi();
  const first = await system.startWorker();
  const ids: number[] = [];
  for (const target of ['old', 'old', 'young']) {
    ids.push(await submitted(system, target));
    await system.until(ids.at(-1) ?? 0, 'completed');
  }
  await first.kill();
  const [old = 0, success = 0, young = 0] = ids;
  await sql`UPDATE jobs SET created_at = created_at - interval '3 hours', finished_at = finished_at - interval '3 hours'
    WHERE target = 'old'`.execute(system.db);
  await system.startWorker('src/worker.ts', { KEEP_LOGS: '2h' });
  await expect.poll(() => system.logText(old)).toBe('[Syncrator: this log was deleted (KEEP_LOGS)]\n');
  expect((await system.job(old)).steps).toMatchObject([{ log_state: 'removed' }]);
  for (const id of [success, young]) expect(await system.logText(id)).toContain(`at work for job ${id}`);
  await system.until(await submitted(system, 'old'), 'completed');
});
