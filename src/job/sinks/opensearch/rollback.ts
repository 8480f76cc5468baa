/**
 * Restores the previous generation by moving the alias back. One is kept, so no rollback of everything can go further back. A
 * rollback of some records brings removed ones back from their copies.
 */
import type { RollbackPreview } from '../../../domain/report.ts';
import {
  differingFields,
  type Effect,
  effectOfSwitch,
  previewOf,
  refuseOtherEffect,
  updatedIn,
} from '../generations/rollback-effect.ts';
import { isOfSome, previewRestore, type RestorePlace, restoreRemoved } from '../generations/restore.ts';
import { jobInWords, nothingToRollBack, refuseBeforeOther } from '../generations/rollback-goal.ts';
import { runsBefore } from '../generations/earlier-runs.ts';
import type { LeftBy } from '../generations/state-parts.ts';
import { leavingNow, withStep } from '../generations/steps.ts';
import { type Applied, NOTHING_APPLIED, type RollbackTo } from '../sink.ts';
import { type OpenSearch, readLive } from './alias.ts';
import type { Document } from './document.ts';
import { readDocuments, refresh, streamStamps } from './documents.ts';
import { describeIndex } from './indexes.ts';
import { keepGone } from './apply-everything.ts';
import { livePlace } from './held.ts';
import { startMove } from './move-alias.ts';
import { deleteObsolete } from './obsolete.ts';
import { type IndexGeneration, type State, withoutLoad } from './state.ts';

/** The live index, the kept one, and the job that replaced it. */
type Goal = {
  readonly live: string;
  readonly kept: string;
  readonly generation: IndexGeneration;
  readonly by: LeftBy;
};

/** @throws JobError `nothingToRollBack`, `previewChanged` */
export async function rollback(sink: OpenSearch, to: RollbackTo): Promise<Applied> {
  const { client, alias, store, writer, log } = sink;
  if (isOfSome(to)) return await restoreRemoved(await placeNow(sink, await store.read()), to);
  const goal = await findGoal(sink, await store.read(), to);
  const { live: from, kept, generation, by } = goal;
  // A delta that was cut off may have left writes that are not visible yet.
  await refresh(client, from);
  const { digest, live, added, updated, removed } = await effectOf(sink, goal);
  refuseOtherEffect(alias, to, digest);
  log(`restoring the data from before ${jobInWords(by)}`);
  const withoutCopy = removed > 0 ? await keepGone(sink, { now: from, next: kept }) : 0;
  const stay = generation.held ? { held: generation.held.count } : {};
  const applied: Applied = { ...NOTHING_APPLIED, live, added, updated, removed, kept: stay, withoutCopy };
  await startMove(sink, { kind: 'rollback', from, to: kept, undoes: by }, (state) => {
    const left = state.generations[from];
    // Documents that an unfinished load has carried over belong to the data that this rollback undoes.
    const { load, obsolete } = withoutLoad(state);
    return {
      load,
      obsolete,
      generations: {
        ...(left && { [from]: { ...left, left_by: leavingNow(writer) } }),
        [kept]: { ...generation, left_by: null },
      },
      steps: withStep(state.steps, writer, applied),
      earlier_runs: runsBefore(state.earlier_runs, by),
    };
  });
  await deleteObsolete(sink);
  return applied;
}

/** Reads only; does not take the fence. */
export async function previewRollback(sink: OpenSearch, to: RollbackTo): Promise<RollbackPreview> {
  const state = await sink.store.look();
  if (isOfSome(to)) return await previewRestore(await placeNow(sink, state), to);
  const goal = await findGoal(sink, state, to);
  const effect = await effectOf(sink, goal);
  const fields = await fieldsOf(sink, goal, updatedIn(effect.sample));
  return previewOf({ effect, before: goal.by, watermark: goal.generation.watermark, fields });
}

/** The live index; after an interrupted move, to which the next run puts an end, the index of its goal. */
async function placeNow(sink: OpenSearch, state: State): Promise<RestorePlace<State>> {
  const name = state.move?.to;
  const index = name === undefined ? null : await describeIndex(sink.client, name);
  const generation = name === undefined ? undefined : state.generations[name];
  const live = index && generation ? { index, generation } : await readLive(sink, state);
  if (!live) throw nothingToRollBack(sink.alias, 'no sync has been applied yet');
  return livePlace(sink, live);
}

async function findGoal(sink: OpenSearch, state: State, to: RollbackTo): Promise<Goal> {
  // An interrupted move counts as done: the next run finishes it.
  const live = state.move?.to ?? (await readLive(sink, state))?.index.name;
  const [kept, generation] = Object.entries(state.generations).find(([name]) => name !== live) ?? [];
  const index = kept === undefined ? null : await describeIndex(sink.client, kept);
  if (live === undefined || kept === undefined || !generation || index?.uuid !== generation.uuid)
    throw nothingToRollBack(sink.alias, NEVER);
  // A switch that failed has left it: no reader has seen it.
  const { left_by: by } = generation;
  if (by === null) throw nothingToRollBack(sink.alias, NEVER);
  refuseBeforeOther(sink.alias, 'OpenSearch', by, to.before);
  return { live, kept, generation, by };
}

const NEVER = 'no sync has replaced earlier data, or their index was removed since';

async function effectOf({ client }: OpenSearch, { live, kept }: Goal): Promise<Effect> {
  return await effectOfSwitch({ now: streamStamps(client, live), next: streamStamps(client, kept) });
}

/** The names of the fields that differ, by id. */
async function fieldsOf(
  { client }: OpenSearch,
  { live, kept }: Goal,
  ids: readonly string[],
): Promise<(id: string) => string[]> {
  const byId = async (index: string): Promise<Map<string, Document>> =>
    new Map((await readDocuments(client, index, ids)).map(({ id, source }) => [id, source]));
  const [now, then] = [await byId(live), await byId(kept)];
  return (id) => differingFields(now.get(id), then.get(id));
}
