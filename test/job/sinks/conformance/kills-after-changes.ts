/**
 * Kills the program right after each of its changes in a sink's server, one after the other: readers see one whole
 * generation, and the next attempt ends as without the kill. For sinks that a proxy stands before.
 */
import { expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { BendingProxy, Passing } from '../../../support/bending-proxy.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import type { TestedSink } from './tested-sink.ts';

type Proxied = TestedSink & { readonly proxy: BendingProxy };

export const rows = (name: string) => someRows(30).map((row) => ({ ...row, name }));

/**
 * Spawns the program and kills it once the server has done its `nth` change, whose answer is lost.
 * @returns its exit code; null if it was killed
 */
export async function killedAfter(
  t: Proxied,
  isChange: (request: Passing) => boolean,
  options: string,
  nth: number,
): Promise<number | null> {
  let changes = 0;
  const { child, ended } = t.spawn(options);
  t.proxy.after = (request) => {
    if (!isChange(request)) return undefined;
    changes += 1;
    if (changes < nth) return undefined;
    child.kill('SIGKILL');
    return 'cut';
  };
  const { code } = await ended;
  t.proxy.after = null;
  return code;
}

export async function expectWhole(t: Proxied, where: string): Promise<void> {
  const seen = Object.values(await t.names());
  expect([...new Set(seen)], where).toHaveLength(1);
  expect(seen, where).toHaveLength(30);
}

export function testKills<T extends Proxied>(
  name: string,
  of: {
    setup(rows: ReturnType<typeof someRows>): Promise<T>;
    isChange(request: Passing): boolean;
    /** Checks that nothing is left unfinished. */
    settled(t: T): Promise<void>;
    /** How many changes each action makes at least. */
    least: Record<'sync' | 'rollback' | 'delta' | 'delete', number>;
  },
): void {
  it(`a sync into ${name} killed after any of its changes leaves a complete generation to readers, and the next sync succeeds`, {
    timeout: 300_000,
  }, async () => {
    await using t = await of.setup(rows('0'));
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    let nth = 0;
    for (let code: number | null = null; code === null; ) {
      nth += 1;
      t.source.put(...rows(String(nth)));
      const saved = t.receiver.reports.length;
      code = await killedAfter(t, of.isChange, 'sync -n 10', nth);
      await expectWhole(t, `killed after change ${nth}`);
      const checkpoint = t.receiver.reports.slice(saved).at(-1)?.checkpoint;
      const again = await t.run('sync -n 10', { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint ?? null) });
      expect(again, `after change ${nth}`).toMatchObject({ code: EXIT.ok });
      expect(await t.names(), `after change ${nth}`).toEqual(namesOf(rows(String(nth))));
      await of.settled(t);
    }
    expect(nth).toBeGreaterThanOrEqual(of.least.sync);
  });

  it(`a rollback in ${name} killed after any of its changes is completed exactly once by the next attempt`, {
    timeout: 120_000,
  }, async () => {
    await using t = await of.setup(rows('old'));
    await t.run('sync');
    t.source.put(...rows('new'));
    await t.run('sync');
    let nth = 0;
    for (let code: number | null = null; code === null; ) {
      nth += 1;
      const before = await t.names();
      // Each rollback undoes the one before it.
      const back = `rollback --api_job_id ${nth}${nth > 1 ? ` --before ${nth - 1}` : ''}`;
      code = await killedAfter(t, of.isChange, back, nth);
      await expectWhole(t, `killed after change ${nth}`);
      expect((await t.run(back)).code, `after change ${nth}`).toBe(EXIT.ok);
      await expectWhole(t, `after change ${nth}`);
      expect(await t.names(), `after change ${nth}`).not.toEqual(before);
      await of.settled(t);
    }
    expect(nth).toBeGreaterThanOrEqual(of.least.rollback);
  });

  it.each(['delta', 'delete'] as const)(
    `a %s in ${name} killed after any of its changes is completed by the next attempt`,
    { timeout: 240_000 },
    async (action) => {
      await using t = await of.setup(rows('0'));
      await t.run('sync');
      let nth = 0;
      for (let code: number | null = null; code === null; ) {
        nth += 1;
        t.source.put(...rows(String(nth)).map((row) => ({ ...row, updated_at: new Date().toISOString() })));
        t.source.rows.delete(`r000${10 + nth}`);
        if (action === 'delete') await t.run('delta');
        const step = `${action} -n 10 --api_job_id ${nth}`;
        code = await killedAfter(t, of.isChange, step, nth);
        const again = await t.run(step, { SYNCRATOR_ATTEMPT: '2' });
        expect(again, `after change ${nth}`).toMatchObject({ code: EXIT.ok });
        if (action === 'delta') await t.run('delete');
        expect(await t.names(), `after change ${nth}`).toEqual(namesOf(t.source.rows.values()));
      }
      expect(nth).toBeGreaterThanOrEqual(of.least[action]);
    },
  );
}
