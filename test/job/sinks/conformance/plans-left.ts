/** What a plan leaves in a sink with generations: nothing, once it is stale, too old, or overtaken; its apply ends older loads. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { EarlierRuns } from '../../../../src/job/sinks/generations/earlier-runs.ts';
import type { Generation, Planned } from '../../../../src/job/sinks/generations/state-parts.ts';
import type { BendingProxy, Passing } from '../../../support/bending-proxy.ts';
import { type FakeRow, lines, page, someRows } from '../../support/fake-source.ts';
import { apply, makePlan, runJob } from '../../support/plan-setup.ts';
import { killedAfter } from './kills-after-changes.ts';
import { expected, job, last, now, type TestedSink } from './tested-sink.ts';

export const ACTIONS = ['sync', 'delta', 'delete'] as const;
export type Action = (typeof ACTIONS)[number];

export type StoredState = {
  planned: Planned | null;
  load: unknown;
  dropped_sets: unknown[];
  generations: Record<string, Pick<Generation, 'listed_at'>>;
  earlier_runs: EarlierRuns;
};

export type PlansUnderTest<T extends Proxied = Proxied> = {
  setup(rows: readonly FakeRow[]): Promise<T>;
  isChange(request: Passing): boolean;
  changeState(t: T, change: (state: StoredState) => StoredState): Promise<void>;
  /** Writes a document into the live data, as another program would. */
  put(t: T, id: string, name: string): Promise<void>;
  remove(t: T, id: string): Promise<void>;
  /** All that the server holds of the sink, as text, with the documents of lists. */
  everything(t: T): Promise<string>;
};

export type Proxied = TestedSink & {
  readonly proxy: BendingProxy;
  state(): Promise<object>;
  pieces(): Promise<string[]>;
};

/** @param prepared a synchronised sink with the rows r00001 … r00040 and `lost 0` … `lost 39` */
export function testWhatPlansLeave<T extends Proxied>(
  name: string,
  of: PlansUnderTest<T>,
  prepared: () => Promise<T>,
): void {
  it.each<readonly [Action, string, string]>([
    ['delta', 'a delta', 'delta'],
    ['delta', 'a take-over', 'take-over'],
    ['delta', 'a plan of a delete', 'plan --of delete'],
    ['delete', 'a delta', 'delta'],
  ])(
    `nothing of a plan of a %s in ${name} is left after %s`,
    { timeout: 240_000 },
    async (action, _, options) => {
      await using t = await prepared();
      t.source.put({ id: 'new', updated_at: now(), name: 'precious' });
      t.source.rows.delete('lost 1');
      await makePlan(t, 2, action);
      const pieces = await t.pieces();
      expect(pieces).toHaveLength(1);
      if (options === 'delta') t.source.rows.delete('new');
      expect(await runJob(t, 3, options)).toMatchObject({ code: EXIT.ok });
      expect(await t.pieces()).not.toContain(pieces[0]);
      expect(await of.everything(t)).not.toContain('precious');
    },
  );

  it.each(ACTIONS)(
    `a plan of a %s in ${name} that is older than seven days goes with the next job, whatever that does`,
    { timeout: 240_000 },
    async (action) => {
      await using t = await prepared();
      t.source.put({ id: 'new', updated_at: now(), name: 'precious' });
      t.source.rows.delete('lost 1');
      await makePlan(t, 2, action);
      const born = new Date(Date.now() - 7.01 * 86_400_000).toISOString();
      await of.changeState(t, (state) => ({
        ...state,
        planned: state.planned && { ...state.planned, born },
      }));
      t.source.bend = (listing) => page({ ...listing, rows: [], total: 0, more: false });
      expect(await runJob(t, 3, 'delete')).toMatchObject({ code: EXIT.deleteGuard });
      expect(await t.pieces()).toEqual([]);
      expect(await t.state()).toMatchObject({ planned: null, load: null, dropped_sets: [] });
    },
  );

  it(`an apply of a delete in ${name} whose listing was not proven complete does not count as a listing`, {
    timeout: 240_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'syncrator-plans-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'records.ndjson');
    await writeFile(path, lines(someRows(30)));
    await using t = await of.setup([]);
    const source = { SOURCE_URL: '', SOURCE_FILE: path };
    expect(await t.run('sync', source)).toMatchObject({ code: EXIT.ok });
    const listedAt = async () =>
      Object.values(((await t.state()) as StoredState).generations).map(({ listed_at: at }) => at);
    const before = await listedAt();
    await writeFile(path, lines(someRows(28)));
    const made = await makePlan(t, 2, 'delete', { ...source, SYNCRATOR_PART_OF: 'diff' });
    expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.ok });
    expect(last(t)).toMatchObject({ listing: 'unproven', deleted: 0 });
    expect(await listedAt()).toEqual(before);
  });

  it(`an apply of a planned delta into ${name} takes the place of a load that has not ended`, {
    timeout: 240_000,
  }, async () => {
    await using t = await prepared();
    expect(await killedAfter(t, of.isChange, 'sync -n 10 --api_job_id 2', 9, job(2))).toBeNull();
    const { load } = (await t.state()) as { load: { id: string; cursor: string | null } };
    expect(load.cursor).not.toBeNull();
    t.source.put({ id: 'lost 0', updated_at: now(), name: 'corrected' });
    const made = await makePlan(t, 3, 'delta');
    expect(await apply(t, 4, made)).toMatchObject({ code: EXIT.ok });
    expect(await t.names()).toMatchObject({ 'lost 0': 'corrected' });
    const begun = { action: 'load', mode: 'everything', load_id: load.id, since: null, total: 80 };
    const resumed = await runJob(t, 5, 'sync -n 10', { SYNCRATOR_CHECKPOINT: JSON.stringify(begun) });
    expect(resumed.code, resumed.output).toBe(EXIT.ok);
    expect(await t.names(), 'no older record comes back').toEqual(expected(t));
  });

  it(`a piece of a plan that is written into ${name} after a newer run forgot its record does not stay`, {
    timeout: 240_000,
  }, async () => {
    await using t = await prepared();
    t.source.put({ id: 'new', updated_at: now(), name: 'precious' });
    const forgot: unknown[] = [];
    t.proxy.before = async ({ body }) => {
      if (forgot.length > 0 || !body.includes('precious')) return undefined;
      forgot.push('begun');
      forgot.push((await runJob(t, 3, 'forget-record --id new')).code);
      return undefined;
    };
    expect(await runJob(t, 2, 'plan --of delta')).toMatchObject({ code: EXIT.fenced });
    expect(forgot).toEqual(['begun', EXIT.ok]);
    expect(await t.pieces()).toEqual([]);
    expect(await of.everything(t)).not.toContain('precious');
  });
}
