/** A program that is killed or stalls while it copies, removes or restores records loses none for good. */
import { expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { idsOf, lose, waiting } from './held-removals.ts';
import { killedAfter } from './kills-after-changes.ts';
import { ALL, type CopiesUnderTest, removing } from './removed-copies.ts';
import { expected, job, last, now } from './tested-sink.ts';

export function testKillsOfCopies(name: string, of: CopiesUnderTest): void {
  it.each(['sync', 'delete'])(
    `a %s in ${name} that stalls before its copy is written removes nothing once a newer job has run`,
    async (action) => {
      await using t = await of.setup(someRows(20));
      await t.run('sync --api_job_id 1', job(1));
      lose(t, ['r00001']);
      const standing = Promise.withResolvers<void>();
      const released = Promise.withResolvers<undefined>();
      t.proxy.before = ({ path, body }) => {
        if (!path.includes('-syncrator-removed') || !/row 1\\?"/.test(body)) return undefined;
        t.proxy.before = null;
        standing.resolve();
        return released.promise;
      };
      const older = t.run(`${action} --api_job_id 2`, job(2));
      await standing.promise;
      t.source.put({ id: 'r00001', updated_at: now(), name: 'again' });
      expect(await t.run('sync --api_job_id 3', job(3))).toMatchObject({ code: EXIT.ok });
      lose(t, ['r00002']);
      expect(await t.run('delete --api_job_id 4', job(4))).toMatchObject({ code: EXIT.ok });
      released.resolve(undefined);
      expect((await older).code).toBe(EXIT.fenced);
      expect(await t.names()).toEqual(expected(t));
      expect(await t.run('rollback --before 4 --only')).toMatchObject({ code: EXIT.ok });
      expect(await t.names()).toEqual({ ...expected(t), r00002: 'row 2' });
    },
  );

  it.each(['sync', 'delete'] as const)(
    `a %s in ${name} killed after any of its changes loses no record for good`,
    { timeout: 300_000 },
    async (action) => {
      await using t = await of.setup(someRows(20));
      await t.run('sync --api_job_id 1', job(1));
      let nth = 1;
      for (let code: number | null = null; code === null; ) {
        nth += 1;
        t.source.put(...someRows(20));
        await t.run('sync');
        lose(t, idsOf(2));
        code = await killedAfter(t, of.isChange, `${action} --api_job_id ${nth}`, nth - 1);
        // What is still live is refused, unless the rollback's own run finishes the switch.
        for (const id of idsOf(2))
          expect([EXIT.ok, EXIT.nothingToRollBack]).toContain((await t.run(`rollback --id ${id}`)).code);
        expect(await t.names(), `after change ${nth - 1}`).toEqual(namesOf(someRows(20)));
      }
    },
  );

  it(`a rollback of some records in ${name} killed after any of its changes is completed by the next attempt`, {
    timeout: 300_000,
  }, async () => {
    await using t = await removing(of.setup);
    let nth = 2;
    for (let code: number | null = null; code === null; ) {
      nth += 1;
      const back = `rollback --before 2 --id r00001 --id r00002 --api_job_id ${nth}`;
      code = await killedAfter(t, of.isChange, back, nth - 2);
      // Also if no attempt follows, what is live again is not removed unasked.
      const live = Object.keys(await t.names()).filter((id) => idsOf(2).includes(id));
      expect(await t.run(back, { SYNCRATOR_ATTEMPT: '2' }), `${nth}`).toMatchObject({ code: EXIT.ok });
      expect(last(t)).toMatchObject({ added: 2, held: 2 });
      expect(waiting(t), `after change ${nth - 2}, with ${live.length} live`).toEqual(idsOf(2));
      expect(await t.names()).toEqual(namesOf(someRows(20)));
      expect(await t.run('sync', ALL)).toMatchObject({ code: EXIT.ok });
      expect(await t.names()).toEqual(namesOf(someRows(20)));
      expect(await t.run('delete --force-delete')).toMatchObject({ code: EXIT.ok });
    }
  });
}
