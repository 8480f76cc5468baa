/**
 * Writes the changes of a delta straight into the live collection and counts them. Readers see them after the
 * commit at the end; then the watermark moves.
 */
import { sinceNow } from '../generations/carry-held.ts';
import { afterChanges, alreadyLive } from '../generations/next-generation.ts';
import { findToldRemovals, settleTold, type Told } from '../generations/told-removals.ts';
import { TooManyRejected } from '../../rejected.ts';
import type { ApplyPlan, ApplyResult, Difference, Load, LoadBatch, Turn } from '../sink.ts';
import { commit, countDocuments, readStamps } from './documents.ts';
import { fenced } from '../generations/fence.ts';
import { checkLoad } from '../generations/load-progress.ts';
import { noteBatch } from './load.ts';
import { livePlace } from './held.ts';
import { generationIn, type Solr } from './aliases.ts';
import type { LoadState, State } from './state.ts';
import { withStep } from './steps.ts';
import { writeRecords } from './write-records.ts';

/**
 * Writes every record, since records may differ and have the same time; counts those with another time as
 * updated. Removals wait until the guard has judged them all.
 */
export async function loadChanges(
  solr: Solr,
  told: Told,
  { load, batch, turn }: { load: Load; batch: LoadBatch; turn: Turn },
): Promise<void> {
  const { client, names, store } = solr;
  const { collection } = checkLoad(await store.read(), load, names.primary);
  const there = await readStamps(
    client,
    collection,
    batch.records.map(({ id }) => id),
  );
  const rejected = await writeRecords(client, collection, batch.records);
  const refused = new Set(rejected.map(({ id }) => id));
  const written = batch.records.filter(({ id }) => !refused.has(id));
  const added = written.filter(({ id }) => !there.has(id)).length;
  const same = written.filter(({ id, updated_at: at }) => there.get(id)?.updatedAt === Date.parse(at)).length;
  await turn;
  told.add(load, batch.gone ?? []);
  await noteBatch(solr, load, batch, {
    rejected,
    written: written.length,
    added,
    updated: written.length - added - same,
  });
}

export async function applyChanges(
  solr: Solr,
  told: Told,
  { load, plan }: { load: Load; plan: ApplyPlan },
): Promise<ApplyResult> {
  const { client, names, store, sets, writer } = solr;
  const going = checkLoad(await store.read(), load, names.primary);
  const { collection, done, gone, added, updated, rejected } = going;
  await commit(client, collection);
  if (rejected.length > plan.mayReject)
    throw new TooManyRejected(rejected, plan.mayReject, alreadyLive('Solr'));
  const generation = await generationIn(solr, await store.read(), collection);
  const held = generation?.held ?? null;
  const stampsOf = (ids: readonly string[]) => readStamps(client, collection, ids);
  const found = await findToldRemovals({ told: told.of(load), stampsOf, held: sets.read(held) }, plan);
  if (found.ask) return { kind: 'ask', ids: found.ask };
  const live = Math.max(0, (await countDocuments(client, collection)) - added);
  const listed = done - gone;
  const difference: Difference = { live, listed, added, updated, removed: 0, kept: {}, missed: null };
  const applied = await settleTold(livePlace(solr, { collection, generation }), found, {
    server: 'Solr',
    plan,
    difference,
    rejected,
    held,
    since: sinceNow(writer, generation),
    finish: (state, counts) => ({
      ...state,
      load: null,
      generations: withPlace(state, names.primary, checkLoad(state, load, names.primary), plan),
      ...withStep(state, writer, counts),
    }),
  });
  return { kind: 'applied', applied };
}

function withPlace(
  { generations }: State,
  app: string,
  load: LoadState,
  plan: ApplyPlan,
): State['generations'] {
  const generation = generations[load.collection];
  if (!generation) throw fenced(app, `${load.collection} is no longer complete`);
  return { ...generations, [load.collection]: { ...generation, ...afterChanges(generation, load, plan) } };
}
