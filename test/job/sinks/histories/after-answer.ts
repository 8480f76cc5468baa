/** What an approved removal, a rollback, a restoration or a forgetting leads to. Pure. */
import type { Rows } from '../../support/live-rows.ts';
import type { Effect } from './outcome.ts';
import { type Copy, copied, generationOf, type StepName, withDone, type World } from './world.ts';

function refused(world: World, ...exits: NonNullable<Effect['exits']>): Effect {
  return { exits, world, begun: world, how: 'nothing', removes: [] };
}

/** Removes what is approved, waits, and is still gone. */
export function afterRemoval(
  world: World,
  of: {
    step: StepName;
    approved: readonly string[];
    told: { readonly answers: ReadonlySet<string>; readonly empty: boolean };
  },
): Effect {
  const { step, approved, told } = of;
  if (told.empty && approved.length > 0) return refused(world, 'deleteGuard');
  const removes = approved.filter((id) => world.named.has(id) && world.live.has(id) && !told.answers.has(id));
  const live: Rows = new Map([...world.live].filter(([id]) => !removes.includes(id)));
  const named = new Set([...world.named].filter((id) => !approved.includes(id)));
  const copies = copied(world, removes, { job: step.job, sure: true });
  const after = withDone({ ...world, live, named, copies }, step);
  return { exits: ['ok'], world: after, begun: world, how: 'in place', removes };
}

/** Goes back to the one generation that is kept. @param before the job to undo; null: the last sync */
export function afterRollback(
  world: World,
  { step, before }: { step: StepName; before: number | null },
): Effect {
  const { kept } = world;
  const isMeant = kept !== null && (before === null ? kept.by.action !== 'rollback' : kept.by.job === before);
  if (!isMeant) return refused(world, 'nothingToRollBack');
  const removes = [...world.live.keys()].filter((id) => !kept.live.has(id));
  const after: World = {
    ...generationOf(kept),
    kept: { ...generationOf(world), by: step },
    copies: copied(world, removes, { job: step.job, sure: true }),
    done: world.done,
    pending: null,
  };
  return { exits: ['ok'], world: withDone(after, step), begun: world, how: 'switch', removes };
}

export type Restored =
  /** What this job removed. */
  { readonly ofJob: number } | { readonly ids: readonly string[] };

/** @param of.ours what an earlier attempt of this step has brought back */
export function afterRestoration(
  world: World,
  of: { step: StepName; what: Restored; ours: ReadonlySet<string> },
): Effect[] {
  const { step, what, ours } = of;
  const isLive = (id: string): boolean => world.live.has(id) && !ours.has(id);
  const back = 'ofJob' in what ? backOfJob(world, what.ofJob, isLive) : backByIds(world, what.ids, isLive);
  const refusal = back.must ? [] : [refused(world, 'nothingToRollBack')];
  if (!back.may) return refusal;
  const live = new Map(world.live);
  const mixed = new Map<string, readonly (string | undefined)[]>();
  for (const [id, copies] of back.records) {
    const isSure = copies.some(({ sure }) => sure === true);
    live.set(id, copies[0]?.text ?? '');
    mixed.set(id, [...copies.map(({ text }) => text), ...(isSure || !('ofJob' in what) ? [] : [undefined])]);
  }
  const waitIfLive = new Set(back.records.keys());
  const after = withDone({ ...world, live }, step);
  const effect = { exits: ['ok' as const], world: after, mixed, waitIfLive, begun: world, removes: [] };
  return [{ ...effect, how: 'in place' }, ...refusal];
}

type Back = {
  /** The copies of each, of which one comes back. */
  readonly records: ReadonlyMap<string, readonly Copy[]>;
  /** It may succeed, or must. */
  readonly may: boolean;
  readonly must: boolean;
};

function backOfJob({ copies }: World, job: number, isLive: (id: string) => boolean): Back {
  const ofJob = copies.filter((copy) => copy.job === job);
  const records = Map.groupBy(
    ofJob.filter(({ id }) => !isLive(id)),
    ({ id }) => id,
  );
  return { records, may: ofJob.length > 0, must: ofJob.some(({ sure }) => sure === true) };
}

/** All of them or none: one that is live, or that nobody removed, refuses the others. */
function backByIds({ copies }: World, ids: readonly string[], isLive: (id: string) => boolean): Back {
  const records = new Map<string, readonly Copy[]>();
  for (const id of new Set(ids)) {
    const all = copies.filter((copy) => copy.id === id);
    // The newest; what may not exist may be it.
    const newest = all.findLastIndex(({ sure }) => sure === true);
    records.set(id, all.slice(Math.max(0, newest)));
  }
  const some = [...records.values()];
  const may = [...records].every(([id, of]) => !isLive(id) && of.length > 0);
  return { records, may, must: may && some.every((of) => of.some(({ sure }) => sure === true)) };
}

/** Erases the earlier values of records; live ones stay, also in the generation that is kept. */
export function afterForgetting(
  world: World,
  { step, ids }: { step: StepName; ids: readonly string[] },
): Effect {
  const { kept, live } = world;
  const then = new Map(kept?.live);
  for (const id of ids.filter((one) => then.has(one))) {
    const text = live.get(id);
    if (text === undefined) then.delete(id);
    else then.set(id, text);
  }
  const copies = world.copies.filter(({ id }) => !ids.includes(id));
  const after = withDone({ ...world, copies, kept: kept && { ...kept, live: then } }, step);
  return { exits: ['ok'], world: after, begun: world, how: 'in place', removes: [] };
}
