/**
 * Writes the changes of a delta straight into the live collection and counts them. Readers see them after the
 * commit at the end; then the watermark moves.
 */
import { JobError } from '../../job-error.ts';
import { TooManyRejected } from '../../rejected.ts';
import type { Applied, ApplyPlan, Difference, Load, LoadBatch, Turn } from '../sink.ts';
import { commit, countDocuments, readStamps } from './documents.ts';
import { fenced } from './fence.ts';
import { checkLoad, noteBatch } from './load.ts';
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
  if (rejected.length > plan.mayReject) throw new TooManyRejected(rejected, plan.mayReject, ALREADY_LIVE);
  const live = Math.max(0, (await countDocuments(client, collection)) - added);
  const difference: Difference = { live, listed: done, added, updated, removed: 0, kept: {}, missed: null };
  judgeWhatIsLive(plan, difference);
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

const ALREADY_LIVE =
  'a delta into Solr writes while it reads, so the good records are live; the watermark stays';

/** Judges changes that are already live; the error says so. */
function judgeWhatIsLive({ judge }: ApplyPlan, difference: Difference): void {
  try {
    judge(difference);
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    const why = error.message.replace(/^nothing was changed: /, '');
    throw new JobError(
      error.code,
      `a delta into Solr writes while it reads, so these changes are live; the watermark stays: ${why}. If they were not ` +
        'intended, correct the source and run a sync',
      { cause: error },
    );
  }
}

/** The new watermark, at most the earliest time of a rejected record, so that the next delta reads it again. */
function withWatermark(
  { generations }: State,
  app: string,
  { collection, rejected_since: since }: LoadState,
  watermark: ApplyPlan['watermark'],
): State['generations'] {
  const generation = generations[collection];
  if (!generation) throw fenced(app, `${collection} is no longer complete`);
  if (watermark === 'keep') return generations;
  const times = [watermark?.toISOString(), since ?? undefined].filter((time) => time !== undefined);
  const earliest = times.length === 0 || watermark === null ? null : times.toSorted()[0];
  return { ...generations, [collection]: { ...generation, watermark: earliest ?? null } };
}
