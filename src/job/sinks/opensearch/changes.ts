/** Writes the changes of a delta straight into the live index and counts them; then the watermark moves. */
import { TooManyRejected } from '../../rejected.ts';
import { fenced } from '../generations/fence.ts';
import { checkLoad } from '../generations/load-progress.ts';
import { alreadyLive, judgeWhatIsLive, watermarkAfterChanges } from '../generations/next-generation.ts';
import { withStep } from '../generations/steps.ts';
import type { Applied, ApplyPlan, Difference, Load, LoadBatch, Turn } from '../sink.ts';
import type { OpenSearch } from './alias.ts';
import { countDocuments, readStamps, refresh } from './documents.ts';
import { noteBatch, targetOf } from './load.ts';
import type { IndexLoad, State } from './state.ts';
import { writeRecords } from './write-records.ts';

/**
 * Writes every record, since records may differ and have the same time; counts those with another time as
 * updated.
 */
export async function loadChanges(sink: OpenSearch, load: Load, batch: LoadBatch, turn: Turn): Promise<void> {
  const target = await targetOf(sink, load);
  const ids = batch.records.map(({ id }) => id);
  const there = await readStamps(sink.client, target.index, ids);
  const rejected = await writeRecords(sink, target, batch.records);
  const refused = new Set(rejected.map(({ id }) => id));
  const written = batch.records.filter(({ id }) => !refused.has(id));
  const added = written.filter(({ id }) => !there.has(id)).length;
  const same = written.filter(({ id, updated_at: at }) => there.get(id)?.updatedAt === Date.parse(at)).length;
  await turn;
  await noteBatch(sink, load, batch, {
    rejected,
    written: written.length,
    added,
    updated: written.length - added - same,
  });
}

export async function applyChanges(sink: OpenSearch, load: Load, plan: ApplyPlan): Promise<Applied> {
  const { client, alias, store, writer } = sink;
  const { index, done, added, updated, rejected } = checkLoad(await store.read(), load, alias);
  await refresh(client, index);
  if (rejected.length > plan.mayReject)
    throw new TooManyRejected(rejected, plan.mayReject, alreadyLive('OpenSearch'));
  const live = Math.max(0, (await countDocuments(client, index)) - added);
  const difference: Difference = { live, listed: done, added, updated, removed: 0, kept: {}, missed: null };
  judgeWhatIsLive('OpenSearch', plan, difference);
  const applied: Applied = { ...difference, rejected };
  await store.change((state) => ({
    ...state,
    load: null,
    generations: withWatermark(state, alias, checkLoad(state, load, alias), plan.watermark),
    steps: withStep(state.steps, writer, applied),
  }));
  return applied;
}

function withWatermark(
  { generations }: State,
  alias: string,
  load: IndexLoad,
  watermark: ApplyPlan['watermark'],
): State['generations'] {
  const generation = generations[load.index];
  if (!generation) throw fenced(alias, `${load.index} is no longer complete`);
  const next = watermarkAfterChanges(generation, load, watermark);
  return { ...generations, [load.index]: { ...generation, watermark: next } };
}
