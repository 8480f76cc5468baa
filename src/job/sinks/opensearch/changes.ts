/** Writes the changes of a delta straight into the live index and counts them; then the watermark moves. */
import { TooManyRejected } from '../../rejected.ts';
import { fenced } from '../generations/fence.ts';
import { checkLoad } from '../generations/load-progress.ts';
import { sinceNow } from '../generations/carry-held.ts';
import { afterChanges, alreadyLive } from '../generations/next-generation.ts';
import { withStep } from '../generations/steps.ts';
import { findToldRemovals, settleTold, type Told } from '../generations/told-removals.ts';
import type { ApplyPlan, ApplyResult, Difference, Load, LoadBatch, Turn } from '../sink.ts';
import { type OpenSearch, readLive } from './alias.ts';
import { countDocuments, readStamps, refresh } from './documents.ts';
import { livePlace } from './held.ts';
import { noteBatch, targetOf } from './load.ts';
import type { IndexLoad, State } from './state.ts';
import { writeRecords } from './write-records.ts';

/**
 * Writes every record, since records may differ and have the same time; counts those with another time as
 * updated. Removals wait until the guard has judged them all.
 */
export async function loadChanges(
  sink: OpenSearch,
  told: Told,
  { load, batch, turn }: { load: Load; batch: LoadBatch; turn: Turn },
): Promise<void> {
  const target = await targetOf(sink, load);
  const ids = batch.records.map(({ id }) => id);
  const there = await readStamps(sink.client, target.index, ids);
  const rejected = await writeRecords(sink, target, batch.records);
  const refused = new Set(rejected.map(({ id }) => id));
  const written = batch.records.filter(({ id }) => !refused.has(id));
  const added = written.filter(({ id }) => !there.has(id)).length;
  const same = written.filter(({ id, updated_at: at }) => there.get(id)?.updatedAt === Date.parse(at)).length;
  await turn;
  told.add(load, batch.gone ?? []);
  await noteBatch(sink, load, batch, {
    rejected,
    written: written.length,
    added,
    updated: written.length - added - same,
  });
}

export async function applyChanges(
  sink: OpenSearch,
  told: Told,
  { load, plan }: { load: Load; plan: ApplyPlan },
): Promise<ApplyResult> {
  const { client, alias, store, sets, writer } = sink;
  const { index, done, gone, added, updated, rejected } = checkLoad(await store.read(), load, alias);
  await refresh(client, index);
  if (rejected.length > plan.mayReject)
    throw new TooManyRejected(rejected, plan.mayReject, alreadyLive('OpenSearch'));
  const current = await readLive(sink, await store.read());
  if (current?.index.name !== index) throw fenced(alias, `${index} is no longer live`);
  const { held } = current.generation;
  const stampsOf = (ids: readonly string[]) => readStamps(client, index, ids);
  const found = await findToldRemovals({ told: told.of(load), stampsOf, held: sets.read(held) }, plan);
  if (found.ask) return { kind: 'ask', ids: found.ask };
  const live = Math.max(0, (await countDocuments(client, index)) - added);
  const listed = done - gone;
  const difference: Difference = { live, listed, added, updated, removed: 0, kept: {}, missed: null };
  const applied = await settleTold(livePlace(sink, current), found, {
    server: 'OpenSearch',
    plan,
    difference,
    rejected,
    held,
    since: sinceNow(writer, current.generation),
    finish: (state, counts) => ({
      ...state,
      load: null,
      generations: withPlace(state, alias, checkLoad(state, load, alias), plan),
      steps: withStep(state.steps, writer, counts),
    }),
  });
  return { kind: 'applied', applied };
}

function withPlace(
  { generations }: State,
  alias: string,
  load: IndexLoad,
  plan: ApplyPlan,
): State['generations'] {
  const generation = generations[load.index];
  if (!generation) throw fenced(alias, `${load.index} is no longer complete`);
  return { ...generations, [load.index]: { ...generation, ...afterChanges(generation, load, plan) } };
}
