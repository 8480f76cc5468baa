/** Records that a delta removes because their source tells the deletion come back by id and by job, from their copies. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { REMOVE, waiting } from './held-removals.ts';
import { killedAfter } from './kills-after-changes.ts';
import type { CopiesUnderTest, CopyingSink } from './removed-copies.ts';
import { job, last } from './tested-sink.ts';
import { all, type Place, synced, without } from './told-deletions.ts';

type ToldPlace = Omit<Place, 't'> & { readonly t: CopyingSink };

async function syncedPlace(setup: CopiesUnderTest['setup'], count: number): Promise<ToldPlace> {
  let made: CopyingSink | null = null;
  const place = await synced(async () => (made = await setup([])), count);
  if (!made) throw new Error('the setup was not used');
  return Object.assign(place, { t: made });
}

const now = (): string => new Date().toISOString().slice(0, 23).replace('T', ' ');

export function testToldCopies(name: string, { setup, isChange }: CopiesUnderTest): void {
  describe(`a record in ${name} that a delta removed because its source told the deletion`, () => {
    it.each([
      ['--id p00002', ['p00002']],
      ['--only', ['p00002', 'p00060']],
    ])('comes back with --before and %s, and waits for an answer', async (options, back) => {
      await using p = await syncedPlace(setup, 60);
      await p.mark(['p00002', 'p00060'], { at: now() });
      await p.run('delta --api_job_id 2', job(2));
      expect(last(p.t)).toMatchObject({ deleted: 2 });
      const left = without(all(60), ['p00002', 'p00060']);
      expect([await p.t.names(), (await p.t.copies()).length]).toEqual([left, 2]);
      await p.run(`rollback --before 2 ${options} --api_job_id 3`, job(3));
      const names = { ...left, ...Object.fromEntries(back.map((id) => [id, 'first'])) };
      expect([await p.t.names(), waiting(p.t)]).toEqual([names, back]);
      // The source tells the deletion again, and a listing lacks them.
      for (const [nth, action] of ['delta', 'sync', 'delta'].entries()) {
        await p.run(`${action} --api_job_id ${4 + nth}`, job(4 + nth));
        expect([await p.t.names(), waiting(p.t)], action).toEqual([names, back]);
      }
      p.t.receiver.approved = back;
      await p.run(`${REMOVE} --api_job_id 8`, job(8));
      await p.run('sync --api_job_id 9', job(9));
      expect([await p.t.names(), waiting(p.t)]).toEqual([left, []]);
      await p.run(`rollback --before 8 --only --api_job_id 10`, job(10));
      expect([await p.t.names(), waiting(p.t)]).toEqual([names, back]);
    });

    it('is copied before: a kill after any change loses none for good', { timeout: 300_000 }, async () => {
      await using p = await syncedPlace(setup, 60);
      const t = {
        ...p.t,
        spawn: (options: string) => p.t.spawn(options, p.settings),
      };
      const told = ['p00002', 'p00060'];
      let nth = 1;
      for (let code: number | null = null; code === null; ) {
        nth += 1;
        const step = `delta --api_job_id ${nth}`;
        await p.exec(
          `UPDATE places SET deleted_at = NULL, updated_at = '${now()}' WHERE deleted_at IS NOT NULL`,
        );
        await p.run('sync');
        expect(await p.t.names()).toEqual(all(60));
        await p.mark(told, { at: now() });
        code = await killedAfter(t, isChange, step, nth - 1);
        // Also if no attempt follows: what is still live is refused.
        for (const id of told)
          expect([EXIT.ok, EXIT.nothingToRollBack]).toContain((await p.attempt(`rollback --id ${id}`)).code);
        expect(await p.t.names(), `after change ${nth - 1}`).toEqual(all(60));
        await p.run(step, { SYNCRATOR_ATTEMPT: '2' });
      }
    });
  });
}
