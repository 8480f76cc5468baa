/** What a sync, a delta or a delete leads to, from what the source told. Pure. */
import type { Rows } from '../../support/live-rows.ts';
import type { Effect } from './outcome.ts';
import type { Told } from './telling.ts';
import { copied, generationOf, purged, type StepName, withDone, type World } from './world.ts';

/** The limits of {@link attempt}. */
const MOST_PERCENT = 10;
const MOST_RECORDS = 5;

export type ListingRun = {
  readonly step: StepName;
  readonly told: Told;
  readonly force: boolean;
  readonly partOfDiff: boolean;
  readonly chapter: number;
};

export function mostRemovals(live: number): number {
  return Math.max(MOST_RECORDS, Math.floor((live * MOST_PERCENT) / 100));
}

function refused(begun: World, ...exits: NonNullable<Effect['exits']>): Effect {
  return { exits, world: begun, begun, how: 'nothing', removes: [] };
}

/** @param of.keepsWhileLoading a load leaves the kept generation as it is */
export function afterSync(
  world: World,
  { step, told, force, chapter }: ListingRun,
  { keepsWhileLoading }: { keepsWhileLoading: boolean },
): Effect {
  const begun = keepsWhileLoading ? world : { ...world, kept: null };
  if (told.breaks) return refused(begun, 'sourceUnreachable');
  const missing = missingIn(world, told);
  if (!told.complete && (world.proven || missing.length > 0)) return refused(begun, 'incompleteListing');
  if (missing.some((id) => told.answers.has(id))) return refused(begun, 'incompleteListing');
  if (told.rows.size === 0) return refused(begun, 'deleteGuard');
  const stay = staying(world, { missing, force });
  const removes = missing.filter((id) => !stay.has(id));
  const live = new Map([...[...world.live].filter(([id]) => stay.has(id)), ...told.rows]);
  const after: World = {
    live,
    named: stay,
    proven: told.complete,
    readTo: chapter,
    kept: world.live.size > 0 ? { ...generationOf(world), by: step } : null,
    copies: copied(world, removes, { job: step.job, sure: true }),
    done: world.done,
    pending: null,
  };
  return { exits: ['ok'], world: purged(withDone(after, step)), begun, how: 'switch', removes };
}

export function afterDelete(world: World, { step, told, force, partOfDiff }: ListingRun): Effect {
  if (world.live.size === 0) return refused(world, 'failed');
  if (told.breaks) return refused(world, 'sourceUnreachable');
  if (!told.complete && (world.proven || !partOfDiff)) return refused(world, 'incompleteListing');
  const missing = missingIn(world, told);
  if (told.complete && missing.some((id) => told.answers.has(id))) return refused(world, 'incompleteListing');
  if (told.rows.size === 0) return refused(world, 'deleteGuard');
  const waiting = new Set(missing.filter((id) => world.named.has(id)));
  const named = told.complete ? staying(world, { missing, force }) : waiting;
  const removes = told.complete ? missing.filter((id) => !named.has(id)) : [];
  return inPlace(world, { step, removes, named });
}

/** It writes while it reads: what a source told before it broke is live. */
export function afterDelta(world: World, { step, told, chapter }: ListingRun): Effect {
  if (world.live.size === 0) return refused(world, 'failed');
  const written = new Map([...world.live, ...told.rows]);
  if (told.breaks) {
    const forms = [...told.rows].map(([id, text]) => [id, [world.live.get(id), text]] as const);
    return {
      exits: ['sourceUnreachable'],
      world,
      mixed: new Map(forms),
      begun: world,
      how: 'in place',
      removes: [],
    };
  }
  const gone = told.gone
    .filter(({ id, at }) => isOld(written.get(id), at) && !told.answers.has(id))
    .map(({ id }) => id);
  const isOver = gone.length > mostRemovals(world.live.size);
  const removes = isOver ? [] : gone.filter((id) => !world.named.has(id));
  const named = new Set([...world.named, ...(isOver ? gone : [])]);
  return inPlace({ ...world, live: written, readTo: chapter }, { step, removes, named, before: world });
}

function missingIn({ live }: World, { rows }: Told): string[] {
  return [...live.keys()].filter((id) => !rows.has(id));
}

/** All above the limits; below them what waited before. */
function staying(
  { live, named }: World,
  { missing, force }: { missing: readonly string[]; force: boolean },
): Set<string> {
  if (force) return new Set();
  if (missing.length > mostRemovals(live.size)) return new Set(missing);
  return new Set(missing.filter((id) => named.has(id)));
}

/** A live record with a later time than its deletion is a newer one. */
function isOld(text: string | undefined, at: string): boolean {
  return text !== undefined && Date.parse(text.split(' ')[0] ?? '') <= Date.parse(at);
}

function inPlace(
  world: World,
  of: { step: StepName; removes: readonly string[]; named: ReadonlySet<string>; before?: World },
): Effect {
  const { step, removes, named, before = world } = of;
  const live: Rows = new Map([...world.live].filter(([id]) => !removes.includes(id)));
  const copies = copied(world, removes, { job: step.job, sure: true });
  const after = purged(withDone({ ...world, live, named, copies }, step));
  return { exits: ['ok'], world: after, begun: before, how: 'in place', removes };
}
