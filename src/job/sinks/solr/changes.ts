/**
 * Writes the changes of a delta straight into the live collection and counts them. Readers see them after the
 * commit at the end; then the watermark moves.
 */
import { alreadyLive, judgeWhatIsLive, watermarkAfterChanges } from '../generations/next-generation.ts';
import { TooManyRejected } from '../../rejected.ts';
import type { Applied, ApplyPlan, Difference, Load, LoadBatch, Turn } from '../sink.ts';
import { commit, countDocuments, readStamps } from './documents.ts';
import { fenced } from '../generations/fence.ts';
import { checkLoad } from '../generations/load-progress.ts';
import { noteBatch } from './load.ts';
import type { Solr } from './aliases.ts';
import type { LoadState, State } from './state.ts';
import { withStep } from './steps.ts';
import { writeRecords } from './write-records.ts';

/**
 * Writes every record, since records may differ and have the same time; counts those with another time as
 * updated.
 */
export async function loadChanges(solr: Solr, load: Load, batch: LoadBatch, turn: Turn): Promise<void> {
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
  await noteBatch(solr, load, batch, {
    rejected,
    written: written.length,
    added,
    updated: written.length - added - same,
  });
}

export async function applyChanges(solr: Solr, load: Load, plan: ApplyPlan): Promise<Applied> {
  const { client, names, store, writer } = solr;
  const going = checkLoad(await store.read(), load, names.primary);
  const { collection, done, added, updated, rejected } = going;
  await commit(client, collection);
  if (rejected.length > plan.mayReject)
    throw new TooManyRejected(rejected, plan.mayReject, alreadyLive('Solr'));
  const live = Math.max(0, (await countDocuments(client, collection)) - added);
  const difference: Difference = { live, listed: done, added, updated, removed: 0, kept: {}, missed: null };
  judgeWhatIsLive('Solr', plan, difference);
  const applied: Applied = { ...difference, rejected };
  await store.change(
    (state) => {
      const now = checkLoad(state, load, names.primary);
      return {
        ...state,
        load: null,
        generations: withWatermark(state, names.primary, now, plan.watermark),
        ...withStep(state, writer, applied),
      };
    },
    { durable: true },
  );
  return applied;
}

function withWatermark(
  { generations }: State,
  app: string,
  load: LoadState,
  watermark: ApplyPlan['watermark'],
): State['generations'] {
  const generation = generations[load.collection];
  if (!generation) throw fenced(app, `${load.collection} is no longer complete`);
  const next = watermarkAfterChanges(generation, load, watermark);
  return { ...generations, [load.collection]: { ...generation, watermark: next } };
}
