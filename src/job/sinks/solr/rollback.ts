/**
 * Restores the previous generation by swapping the aliases. Solr keeps only one previous generation, so no
 * rollback of everything can go further back. A rollback of some records brings removed ones back from their copies.
 */
import type { RollbackPreview } from '../../../domain/report.ts';
import { type Applied, NOTHING_APPLIED, type RollbackTo } from '../sink.ts';
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
import { UNKNOWN } from '../generations/state-parts.ts';
import { describeCollection } from './collections.ts';
import { type Document, SOLRS_OWN, UPDATED_AT } from './document.ts';
import { isMissing } from '../../http/json-client.ts';
import { countDocuments, readDocuments, streamStamps } from './documents.ts';
import { startMove } from './move-aliases.ts';
import { generationIn, readPlaces, readPrimary, type Solr } from './aliases.ts';
import { keepGone } from './apply-everything.ts';
import { livePlace } from './held.ts';
import { EMPTY, type Generation, type State } from './state.ts';
import { leavingNow } from '../generations/steps.ts';
import { withStep } from './steps.ts';

type Goal = {
  readonly primary: string;
  readonly standby: string;
  readonly generation: Generation;
};

/** @throws JobError `nothingToRollBack`, `previewChanged` */
export async function rollback(solr: Solr, to: RollbackTo): Promise<Applied> {
  const { client, names, store, writer, log } = solr;
  if (isOfSome(to)) return await restoreRemoved(await placeNow(solr, await store.read()), to);
  const goal = await findGoal(solr, await store.read(), to);
  const { primary, standby, generation } = goal;
  const { digest, live, added, updated, removed } = await effectOf(solr, goal);
  refuseOtherEffect(names.primary, to, digest);
  log(
    `restoring the data from before ${generation.left_by ? jobInWords(generation.left_by) : 'the last switch'}`,
  );
  const { creationTimeMillis: created } = await describeCollection(client, primary);
  const withoutCopy = removed > 0 ? await keepGone(solr, { now: primary, next: standby }) : 0;
  const kept = generation.held ? { held: generation.held.count } : {};
  const applied: Applied = { ...NOTHING_APPLIED, live, added, updated, removed, kept, withoutCopy };
  await startMove(
    solr,
    { kind: 'rollback', primary: standby, standby: primary, undoes: generation.left_by },
    (state) => ({
      generations: {
        ...state.generations,
        [primary]: { ...UNKNOWN, created, ...state.generations[primary], left_by: leavingNow(writer) },
        [standby]: { ...generation, left_by: null },
      },
      ...withStep(state, writer, applied),
      earlier_runs: runsBefore(state.earlier_runs, generation.left_by),
    }),
  );
  await solr.sets.deleteDropped();
  return applied;
}

/** Reads only; does not take the fence. */
export async function previewRollback(solr: Solr, to: RollbackTo): Promise<RollbackPreview> {
  const state = await lookAtState(solr);
  if (isOfSome(to)) return await previewRestore(await placeNow(solr, state), to);
  const goal = await findGoal(solr, state, to);
  const effect = await effectOf(solr, goal);
  const { left_by: by, watermark } = goal.generation;
  // Version 0.1.0 stored only the watermark.
  const before = by ?? { at: state.generations[goal.primary]?.watermark ?? new Date(0).toISOString() };
  return previewOf({
    effect,
    before,
    watermark,
    fields: await fieldsOf(solr, goal, updatedIn(effect.sample)),
  });
}

/** The live collection; after an interrupted move, which the next run finishes, that of its goal. */
async function placeNow(solr: Solr, state: State): Promise<RestorePlace<State>> {
  const collection = state.move?.primary ?? (await readPrimary(solr));
  const generation = await generationIn(solr, state, collection);
  if (!generation) throw nothingToRollBack(solr.names.primary, 'no sync has been applied yet');
  return livePlace(solr, { collection, generation });
}

/** A preview creates nothing, not even the state collection. */
async function lookAtState({ store }: Solr): Promise<State> {
  try {
    return await store.look();
  } catch (error) {
    if (!isMissing(error)) throw error;
    return EMPTY;
  }
}

async function findGoal(solr: Solr, state: State, to: RollbackTo): Promise<Goal> {
  const { client, names } = solr;
  // An interrupted switch counts as done: the next run finishes it.
  const { primary, standby } = state.move ?? (await readPlaces(solr));
  const generation = await generationIn(solr, state, standby);
  if (!generation || (await countDocuments(client, standby)) === 0)
    throw nothingToRollBack(names.primary, whyEmpty(state));
  refuseBeforeOther(names.primary, 'Solr', generation.left_by, to.before);
  return { primary, standby, generation };
}

function whyEmpty({ planned, load }: State): string {
  if ((planned?.load ?? null) !== null) return PLANNED;
  return load?.mode === 'everything' ? LOADING : NEVER;
}

const PLANNED = 'a plan of a sync has emptied the standby for its load, and was not applied yet';
const LOADING = 'a sync or a plan of one has emptied the standby for its load and has not switched yet';
const NEVER =
  'no sync has switched its aliases, or its standby was emptied since, for a sync or plan that was not applied, or recreated';

async function effectOf({ client }: Solr, { primary, standby }: Goal): Promise<Effect> {
  return await effectOfSwitch({ now: streamStamps(client, primary), next: streamStamps(client, standby) });
}

/** The names of the fields that differ, by id. */
async function fieldsOf(
  { client }: Solr,
  { primary, standby }: Goal,
  ids: readonly string[],
): Promise<(id: string) => string[]> {
  const byId = async (collection: string): Promise<Map<string, Document>> =>
    new Map((await readDocuments(client, collection, ids)).map((document) => [document.id, document]));
  const [now, then] = [await byId(primary), await byId(standby)];
  return (id) =>
    differingFields(now.get(id), then.get(id))
      .filter((name) => !SOLRS_OWN.has(name))
      .map((name) => (name === UPDATED_AT ? 'updated_at' : name));
}
