/** A kept plan goes with whatever changes the live data, and nothing else. */
import { expect, it } from 'vitest';
import { settleState } from '../../../../src/job/sinks/generations/settle-plan.ts';
import { type Planned, UNKNOWN } from '../../../../src/job/sinks/generations/state-parts.ts';
import { EMPTY, type State, stateSchema, storedForm } from '../../../../src/job/sinks/opensearch/state.ts';
import { withoutLoad } from '../../../../src/job/sinks/opensearch/state.ts';
import { newProgress } from '../../../../src/job/sinks/generations/load-progress.ts';
import { NOTHING_APPLIED } from '../../../../src/job/sinks/sink.ts';

const begin = { since: null, began: new Date(0), resume: null };
const load = { ...newProgress({ ...begin, mode: 'everything' }), index: 'loaded' };
const other = { ...newProgress({ ...begin, mode: 'everything' }), index: 'other' };
const changes = { ...newProgress({ ...begin, mode: 'changes' }), index: 'live' };
const list = { id: '0b0f6d1e-5a34-4c9e-9d1c-2f7f2f6c1a55', count: 1, pieces: 1 };
const step = {
  key: 'k',
  action: 'delete',
  step: 0,
  origin_uid: null,
  applied: { ...NOTHING_APPLIED, rejected: [] },
};

function planned(of: Partial<Planned>): Planned {
  return {
    uid: 'u',
    action: 'sync',
    digest: 'd',
    born: new Date(0).toISOString(),
    live: 'live',
    load: null,
    records: null,
    gone: null,
    held: null,
    begun: false,
    watermark: null,
    source_state: null,
    coarse_times: false,
    proven: true,
    may_reject: 0,
    applied: { ...NOTHING_APPLIED, rejected: [] },
    ...of,
  };
}

const ofSync: State = { ...EMPTY, load, planned: planned({ load: load.id }) };
const ofDelete: State = {
  ...EMPTY,
  planned: planned({ action: 'delete', gone: list }),
  dropped_sets: [list],
};
const live = { ...UNKNOWN, uuid: 'x' };

const settled = (before: State, change: Partial<State>): State =>
  settleState(before, { ...before, ...change }, withoutLoad);

it.each<readonly [string, Partial<State>]>([
  ['a step', { steps: [step] }],
  ['a move', { move: { kind: 'rollback', from: 'live', to: 'kept', undoes: null } }],
  ['a change of the live generation', { generations: { live } }],
  ['a delta that begins', { load: changes }],
])('a plan goes with %s', (_, change) => {
  expect(settled(ofSync, change).planned).toBeNull();
  expect(settled(ofDelete, change).planned).toBeNull();
});

it.each<readonly [string, Partial<State>]>([
  ['other generations', { generations: { kept: live } }],
  ['lists that are written', { dropped_sets: [list] }],
  ['indexes that are deleted', { obsolete: ['old'] }],
])('a plan stays beside %s', (_, change) => {
  expect(settled(ofSync, change)).toMatchObject({ planned: ofSync.planned, load });
  expect(settled(ofDelete, change).planned).toEqual(ofDelete.planned);
});

it('a load of everything takes the place of the load of a plan, and leaves other plans', () => {
  expect(settled(ofSync, { load: other })).toMatchObject({ planned: null, load: other });
  expect(settled(ofDelete, { load: other }).planned).toEqual(ofDelete.planned);
});

it('the load of a plan goes with it, also if another plan replaces it; a load of somebody else stays', () => {
  expect(settled(ofSync, { planned: null })).toMatchObject({ load: null, obsolete: ['loaded'] });
  expect(settled(ofSync, { planned: planned({ action: 'delete' }) })).toMatchObject({ load: null });
  expect(settled(ofSync, { steps: [step] })).toMatchObject({ load: null, obsolete: ['loaded'] });
  expect(settled({ ...ofDelete, load: other }, { planned: null }).load).toEqual(other);
});

it('the same plan that begins to be applied stays', () => {
  const begun = planned({ action: 'delete', begun: true });
  expect(settled(ofDelete, { planned: begun }).planned).toEqual(begun);
});

it('the stored form is one that an earlier version reads, with the lists of the plan among those to delete', () => {
  const stored = storedForm(ofDelete);
  expect(stored).toMatchObject({ format: 1, dropped_sets: [list] });
  expect(stateSchema.safeParse(JSON.parse(JSON.stringify(stored))).data?.planned).toEqual(ofDelete.planned);
  const { planned: _, ...earlier } = stored;
  expect(stateSchema.safeParse(earlier).data?.planned).toBeNull();
});

it('the apply of a planned delta takes the place of an older load, and that of a delete does not', () => {
  const begun = (action: Planned['action'], going: State['load'] = load): State => {
    const before = { ...EMPTY, load: going, planned: planned({ action }) };
    return settled(before, { planned: planned({ action, begun: true }) });
  };
  expect(begun('delta')).toMatchObject({ load: null, obsolete: ['loaded'], planned: { begun: true } });
  expect(begun('delta', null)).toMatchObject({ load: null, obsolete: [] });
  expect(begun('delete')).toMatchObject({ load, planned: { begun: true } });
  const after = settled(begun('delta'), { load: other });
  expect(settled(after, { dropped_sets: [] }), 'a load that begins later stays').toMatchObject({
    load: other,
  });
});

it('a load that has not ended goes with the step of another job: resumed, it would bring removed records back', () => {
  const going: State = { ...EMPTY, load };
  expect(settled(going, { steps: [step] })).toMatchObject({ load: null, obsolete: ['loaded'] });
  expect(settled(going, { dropped_sets: [list] }).load).toEqual(load);
  // The step of the load itself ends it.
  expect(settled(going, { steps: [step], load: null }).obsolete).toEqual([]);
});
