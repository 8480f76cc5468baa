/** Reads a delta without writing into the live data: its records are kept beside them, and it is judged before they are live. */
import { TooManyRejected } from '../../rejected.ts';
import type { GoneRecord, RejectedRecord, SourceRecord } from '../../sources/source.ts';
import type { ApplyPlan, ApplyResult, BeginLoad, Difference, Load, LoadBatch, Turn } from '../sink.ts';
import { sinceNow } from './carry-held.ts';
import type { GenerationsState } from './in-place.ts';
import { afterBatch, asLoad, checkLoad, newProgress } from './load-progress.ts';
import { afterChanges } from './next-generation.ts';
import { keepRemovals } from './planned-in-place.ts';
import type { PlannedRecords } from './planned-records.ts';
import type { Decided } from './plans.ts';
import { settleRemovals } from './removals.ts';
import type { RestorePlace } from './restore.ts';
import type { Generation, HeldSet, Progress } from './state-parts.ts';
import { findToldRemovals } from './told-removals.ts';

export type LiveGeneration<S extends GenerationsState> = {
  readonly place: RestorePlace<S>;
  readonly generation: Generation;
};

/** A delta that is read for a plan. Like a list of ids it cannot be resumed: it would be read again. */
export type PlannedChanges = {
  begin(input: BeginLoad): Promise<Load>;
  add(load: Load, batch: LoadBatch, turn: Turn): Promise<void>;
  decide(
    load: Load,
    plan: ApplyPlan,
  ): Promise<Extract<ApplyResult, { kind: 'ask' }> | { readonly kind: 'decided'; readonly decided: Decided }>;
};

/** What was read so far. */
type Reading<S extends GenerationsState> = {
  readonly live: LiveGeneration<S>;
  load: Progress;
  records: HeldSet | null;
  readonly told: GoneRecord[];
};

/**
 * @param of.live what readers see @throws JobError without a synchronised one
 * @param of.unfitReason why a record cannot become a document; null if it can
 */
export function createPlannedChanges<S extends GenerationsState>(of: {
  records: PlannedRecords;
  live: () => Promise<LiveGeneration<S>>;
  unfitReason: (record: SourceRecord) => string | null;
}): PlannedChanges {
  let current: Reading<S> | null = null;
  const readingOf = (load: Load): Reading<S> => {
    if (current?.load.id !== load.id) throw new Error('this load was begun by another sink object');
    return current;
  };
  return {
    async begin(input) {
      const load = newProgress({ ...input, mode: 'changes' });
      current = { live: await of.live(), load, records: null, told: [] };
      return asLoad(load, { resumed: false });
    },
    async add(load, batch, turn) {
      const reading = readingOf(load);
      const { place } = reading.live;
      const rejected = batch.records.flatMap((record): RejectedRecord[] => {
        const why = of.unfitReason(record);
        return why === null ? [] : [{ where: place.sink, id: record.id, why }];
      });
      const refused = new Set(rejected.map(({ id }) => id));
      const fit = batch.records.filter(({ id }) => !refused.has(id));
      const there = await place.stampsOf(fit.map(({ id }) => id));
      const added = fit.filter(({ id }) => !there.has(id)).length;
      const same = fit.filter(({ id, updated_at: at }) => there.get(id)?.updatedAt === Date.parse(at)).length;
      await turn;
      reading.records = await of.records.add(reading.records, fit);
      for (const one of batch.gone ?? []) reading.told.push(one);
      const news = { rejected, written: fit.length, added, updated: fit.length - added - same };
      reading.load = afterBatch(checkLoad(reading, load, place.alias), batch, news, place.alias);
    },
    decide: (load, plan) => decideChanges(readingOf(load), plan),
  };
}

async function decideChanges<S extends GenerationsState>(
  { live: { place, generation }, load, records, told }: Reading<S>,
  plan: ApplyPlan,
): ReturnType<PlannedChanges['decide']> {
  const { rejected, added, updated } = load;
  if (rejected.length > plan.mayReject) throw new TooManyRejected(rejected, plan.mayReject);
  await place.makeVisible();
  const { stampsOf, sets } = place;
  const found = await findToldRemovals({ told, stampsOf, held: sets.read(generation.held) }, plan);
  if (found.ask) return { kind: 'ask', ids: found.ask };
  const { missing, answered } = found;
  const difference: Difference = {
    live: await place.count(),
    listed: load.done - load.gone,
    added,
    updated,
    removed: missing.length,
    kept: answered > 0 ? { answered } : {},
    missed: null,
  };
  const judgement = plan.judge(difference);
  const since = sinceNow(place.writer, generation);
  const settled = settleRemovals({ ...found, difference }, { judgement, plan, since });
  const { coarse_times, proven } = generation;
  return {
    kind: 'decided',
    decided: {
      live: place.name,
      load: null,
      records,
      ...(await keepRemovals(sets, { ...settled, since })),
      ...afterChanges(generation, load, plan),
      coarse_times,
      proven,
      applied: { ...settled.difference, rejected },
    },
  };
}
