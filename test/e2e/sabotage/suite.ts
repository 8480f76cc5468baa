/**
 * Sources that lie and people who err, against the whole product. Each test states the live records, the held ones, the
 * counts of the job in the history, and up to when removals are fresh.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { page } from '../../job/support/fake-source.ts';
import {
  firstIds,
  idOf,
  LIVE,
  type Ran,
  type Scene,
  setStage,
  type SinkServer,
  type Stage,
} from './stage.ts';

const TARGETS = [
  'empty',
  'half',
  'cut',
  'canary',
  'hidden',
  'gone',
  'unusual',
  'back',
  'twice',
  'starter',
  'stale',
  'killed',
  'undone',
  'nights',
  'schema',
] as const; // prettier-ignore

const ALL = firstIds(LIVE);
/** More than the limits allow. */
const HALF = firstIds(LIVE / 2);
/** 8 percent: fewer than the limits forbid. */
const FEW = firstIds(4);

const TEN_JOBS = { timeout: 180_000 };

type State = {
  readonly ran: Partial<Ran>;
  readonly live: readonly string[];
  readonly held: number;
  /**
   * `now`: as of a later listing than at the last look; `before`: unchanged. `unknown`: a rollback has brought back records
   * that are gone.
   */
  readonly fresh: 'now' | 'before' | 'unknown';
};

/** @param name of the sink */
export function sabotage(name: string, startSink: () => Promise<SinkServer>): void {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage(TARGETS, startSink);
  }, 660_000); // the first run gets the server from Maven Central
  afterAll(() => stage?.[Symbol.asyncDispose]());

  /** A target after its first sync, and what to expect of later jobs. */
  async function begun(target: (typeof TARGETS)[number]) {
    const scene = await stage.scene(target);
    expect(await scene.run('sync')).toMatchObject({ status: 'completed', added: LIVE });
    let fresh = await scene.fresh();
    expect(fresh).not.toBeNull();
    const stands = async (ran: Ran, state: State): Promise<void> => {
      expect(ran).toMatchObject(state.ran);
      expect(await scene.names()).toEqual(state.live.toSorted());
      expect((await scene.loss())?.count ?? 0).toBe(state.held);
      const now = await scene.fresh();
      if (state.fresh === 'unknown') expect(now).toBeNull();
      else if (state.fresh === 'before') expect(now).toBe(fresh);
      else expect(Date.parse(now ?? '')).toBeGreaterThan(Date.parse(fresh ?? ''));
      fresh = now;
    };
    return { scene, stands };
  }

  test(`${name}: an empty source changes nothing`, async () => {
    const { scene, stands } = await begun('empty');
    scene.lose(...ALL);
    const ran = await scene.run('sync');
    await stands(ran, {
      ran: { status: 'failed', code: 'delete_guard' },
      live: ALL,
      held: 0,
      fresh: 'before',
    });
  });

  test(`${name}: half a source brings what is new and holds the rest, until everything is listed again`, async () => {
    const { scene, stands } = await begun('half');
    scene.lose(...HALF);
    scene.add('new');
    await stands(await scene.run('sync'), {
      ran: { status: 'completed', added: 1, deleted: 0, held: HALF.length },
      live: [...ALL, 'new'],
      held: HALF.length,
      fresh: 'before',
    });
    for (const id of HALF) scene.add(id);
    await stands(await scene.run('sync'), {
      ran: { status: 'completed', added: 0, updated: HALF.length, deleted: 0 },
      live: [...ALL, 'new'],
      held: 0,
      fresh: 'now',
    });
  });

  test(`${name}: a listing that is cut changes nothing`, async () => {
    const { scene, stands } = await begun('cut');
    scene.source.pageSize = 10;
    scene.source.bend = (listing) =>
      listing.query['after'] === undefined ? undefined : page({ ...listing, rows: [], more: false });
    const ran = await scene.run('sync');
    await stands(ran, {
      ran: { status: 'failed', code: 'incomplete_listing' },
      live: ALL,
      held: 0,
      fresh: 'before',
    });
  });

  test(`${name}: 8 percent with a canary among them are not believed to be gone`, async () => {
    const { scene, stands } = await begun('canary');
    scene.set({ CANARY_IDS: idOf(3) });
    scene.lose(...FEW);
    const ran = await scene.run('sync');
    await stands(ran, {
      ran: { status: 'failed', code: 'incomplete_listing' },
      live: ALL,
      held: 0,
      fresh: 'before',
    });
  });

  test(`${name}: 8 percent that the listing hides, and the source has, stay`, async () => {
    const { scene, stands } = await begun('hidden');
    scene.source.bend = (listing) => {
      // The program asks for missing records with smaller pages.
      if (Number(listing.query['limit']) < 1000) return undefined;
      return page({
        ...listing,
        rows: listing.rows.filter(({ id }) => !FEW.includes(id)),
        total: LIVE - FEW.length,
      });
    };
    const ran = await scene.run('sync');
    await stands(ran, {
      ran: { status: 'failed', code: 'incomplete_listing' },
      live: ALL,
      held: 0,
      fresh: 'before',
    });
  });

  test(`${name}: 8 percent that are gone go, and a rollback brings them back`, async () => {
    const { scene, stands } = await begun('gone');
    scene.lose(...FEW);
    const ran = await scene.run('sync');
    await stands(ran, {
      ran: { status: 'completed', deleted: FEW.length },
      live: ALL.slice(FEW.length),
      held: 0,
      fresh: 'now',
    });
    const undone = await scene.run('rollback');
    await stands(undone, { ran: { status: 'completed' }, live: ALL, held: 0, fresh: 'unknown' });
  });

  test(
    `${name}: 8 percent, far more than seven quiet jobs removed, wait until a person approves`,
    TEN_JOBS,
    async () => {
      const { scene, stands } = await begun('unusual');
      scene.set({ BASELINE: 'hold' });
      const more = firstIds(LIVE, LIVE + 1);
      for (const id of more) scene.add(id);
      expect(await scene.run('sync')).toMatchObject({ status: 'completed', added: LIVE });
      for (let nth = 0; nth < 7; nth += 1)
        expect(await scene.run('delete')).toMatchObject({ status: 'completed' });
      const lost = firstIds(8);
      scene.lose(...lost);
      await stands(await scene.run('delete'), {
        ran: { status: 'completed', deleted: 0, held: lost.length },
        live: [...ALL, ...more],
        held: lost.length,
        fresh: 'now',
      });
      const loss = (await scene.loss()) ?? never();
      expect(loss.reason).toBe('anomaly');
      const approved = await scene.approve(loss, 'bob');
      expect(approved).toMatchObject({ status: 202 });
      const removal = await scene.ended((approved.body as { removal_job_id: number }).removal_job_id);
      await stands(removal, {
        ran: { status: 'completed', deleted: lost.length },
        live: [...ALL.slice(lost.length), ...more],
        held: 0,
        fresh: 'now',
      });
    },
  );

  test(`${name}: ids that come back between the approval and the removal stay`, async () => {
    const { scene, stands } = await begun('back');
    const loss = await halfHeld(scene);
    scene.add(idOf(7));
    const approved = await scene.approve(loss, 'bob');
    expect(approved).toMatchObject({ status: 202 });
    const removal = await scene.ended((approved.body as { removal_job_id: number }).removal_job_id);
    await stands(removal, {
      ran: { status: 'completed', deleted: HALF.length - 1 },
      live: [idOf(7), ...ALL.slice(HALF.length)],
      held: 0,
      fresh: 'now',
    });
    const next = await scene.run('sync');
    await stands(next, {
      ran: { status: 'completed', deleted: 0 },
      live: [idOf(7), ...ALL.slice(HALF.length)],
      held: 0,
      fresh: 'now',
    });
  });

  test(`${name}: of two people who approve at once, one starts the removal and the other is told`, async () => {
    const { scene, stands } = await begun('twice');
    const loss = await halfHeld(scene);
    const answers = await Promise.all([scene.approve(loss, 'bob'), scene.approve(loss, 'eve')]);
    const ids = new Set(
      answers.map(({ body }) => (body as { removal_job_id?: number }).removal_job_id ?? null),
    );
    ids.delete(null);
    expect(ids.size, JSON.stringify(answers)).toBe(1);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409]);
    const removal = await scene.ended([...ids][0] ?? 0);
    await stands(removal, {
      ran: { status: 'completed', deleted: HALF.length },
      live: ALL.slice(HALF.length),
      held: 0,
      fresh: 'now',
    });
  });

  test(`${name}: the person who started the job cannot approve its losses`, async () => {
    const { scene, stands } = await begun('starter');
    const ran = await losingHalf(scene);
    const loss = (await scene.loss()) ?? never();
    expect(await scene.approve(loss, 'ada')).toMatchObject({ status: 403 });
    await stands(ran, { ran: { held: HALF.length }, live: ALL, held: HALF.length, fresh: 'before' });
  });

  test(`${name}: an approval of yesterday's set is refused`, async () => {
    const { scene, stands } = await begun('stale');
    const yesterday = await halfHeld(scene);
    scene.lose(idOf(LIVE));
    const ran = await scene.run('sync');
    expect(await scene.approve(yesterday, 'bob')).toMatchObject({
      status: 409,
      body: { code: 'loss_changed' },
    });
    await stands(ran, {
      ran: { status: 'completed', deleted: 0, held: HALF.length + 1 },
      live: ALL,
      held: HALF.length + 1,
      fresh: 'before',
    });
  });

  test(`${name}: a program that is killed before the switch changes nothing, and the next sync holds`, async () => {
    const { scene, stands } = await begun('killed');
    scene.lose(...HALF);
    scene.add('new');
    const paused = await scene.pauseSwitch();
    const id = await scene.start('sync');
    await paused.reached();
    scene.killProgram();
    const killed = await scene.ended(id);
    await paused.release();
    await stands(killed, { ran: { status: 'failed' }, live: ALL, held: 0, fresh: 'before' });
    await stands(await scene.run('sync'), {
      // Where the killed job had decided to switch, the next one first completes that, and adds nothing itself.
      ran: { status: 'completed', deleted: 0, held: HALF.length },
      live: [...ALL, 'new'],
      held: HALF.length,
      fresh: 'before',
    });
  });

  test(`${name}: a rollback leaves what is held live and held`, async () => {
    const { scene, stands } = await begun('undone');
    scene.add('new');
    await losingHalf(scene);
    expect(await scene.names()).toContain('new');
    const undone = await scene.run('rollback');
    expect(undone.status).toBe('completed');
    await stands(undone, { ran: {}, live: ALL, held: (await scene.loss())?.count ?? 0, fresh: 'unknown' });
    await stands(await scene.run('sync'), {
      ran: { status: 'completed', deleted: 0, held: HALF.length },
      live: [...ALL, 'new'],
      held: HALF.length,
      fresh: 'before',
    });
  });

  test(`${name}: a set grows over three nights, while everything new goes live`, async () => {
    const { scene, stands } = await begun('nights');
    await losingHalf(scene);
    for (const night of [1, 2, 3]) {
      scene.lose(idOf(LIVE - night));
      scene.add(`new-${night}`);
      await stands(await scene.run('sync'), {
        ran: { status: 'completed', added: 1, deleted: 0, held: HALF.length + night },
        live: [...ALL, ...Array.from({ length: night }, (_, at) => `new-${at + 1}`)],
        held: HALF.length + night,
        fresh: 'before',
      });
    }
  });

  test(`${name}: nothing moves where the schema has changed so that held records no longer fit`, async () => {
    const { scene, stands } = await begun('schema');
    scene.lose(...HALF);
    for (const [at, id] of ALL.slice(HALF.length).entries())
      scene.source.put({ id, updated_at: new Date().toISOString(), name: at });
    await scene.misfit();
    const ran = await scene.run('sync');
    await stands(ran, { ran: { status: 'failed' }, live: ALL, held: 0, fresh: 'before' });
  });
}

async function losingHalf(scene: Scene): Promise<Ran> {
  scene.lose(...HALF);
  const ran = await scene.run('sync');
  expect(ran).toMatchObject({ status: 'completed', deleted: 0, held: HALF.length });
  return ran;
}

async function halfHeld(scene: Scene) {
  await losingHalf(scene);
  return (await scene.loss()) ?? never();
}

function never(): never {
  throw new Error('no loss waits');
}
