/**
 * Restores the previous generation by swapping the aliases. Solr keeps only one previous generation, so no
 * rollback can go further back.
 */
import { createHash } from 'node:crypto';
import type { RollbackPreview } from '../../../domain/report.ts';
import { JobError } from '../../job-error.ts';
import { type Applied, NOTHING_APPLIED, type RollbackTo } from '../sink.ts';
import { UNKNOWN } from './apply-everything.ts';
import { describeCollection } from './collections.ts';
import { compareCollections } from './compare.ts';
import { type Document, SOLRS_OWN, UPDATED_AT } from './document.ts';
import { isMissing } from './client.ts';
import { countDocuments, readDocuments } from './documents.ts';
import { startMove } from './move-aliases.ts';
import { generationIn, readPlaces, type Solr } from './aliases.ts';
import { EMPTY, type Generation, type LeftBy, type State } from './state.ts';
import { leavingNow, withStep } from './steps.ts';

type Goal = {
  readonly primary: string;
  readonly standby: string;
  readonly generation: Generation;
};

/** @throws JobError `nothingToRollBack`, `previewChanged` */
export async function rollback(solr: Solr, to: RollbackTo): Promise<Applied> {
  const { client, names, store, writer, log } = solr;
  const goal = await findGoal(solr, await store.read(), to);
  const { primary, standby, generation } = goal;
  const { digest, live, added, updated, removed } = await effectOf(solr, goal);
  if (to.expect !== null && to.expect !== digest) {
    throw new JobError(
      'previewChanged',
      `alias ${names.primary} has changed since the preview, so this rollback would have another effect; nothing was ` +
        'changed. Request a new preview',
    );
  }
  log(
    `restoring the data from before ${generation.left_by ? inWords(generation.left_by) : 'the last switch'}`,
  );
  const { creationTimeMillis: created } = await describeCollection(client, primary);
  const applied: Applied = { ...NOTHING_APPLIED, live, added, updated, removed };
  await startMove(solr, { kind: 'rollback', primary: standby, standby: primary }, (state) => ({
    generations: {
      ...state.generations,
      [primary]: { ...UNKNOWN, created, ...state.generations[primary], left_by: leavingNow(writer) },
      [standby]: { ...generation, left_by: null },
    },
    ...withStep(state, writer, applied),
  }));
  return applied;
}

/** Reads only; does not take the fence. */
export async function previewRollback(solr: Solr, to: RollbackTo): Promise<RollbackPreview> {
  const state = await lookAtState(solr);
  const goal = await findGoal(solr, state, to);
  const { digest, added, updated, removed, sample } = await effectOf(solr, goal);
  const { left_by: by, watermark } = goal.generation;
  return {
    before: {
      job_id: by?.job_id ?? null,
      job_uid: by?.job_uid ?? null,
      action: by?.action ?? 'sync',
      // Version 0.1.0 stored only the watermark.
      applied_at: by?.at ?? state.generations[goal.primary]?.watermark ?? new Date(0).toISOString(),
    },
    added,
    updated,
    removed,
    // Solr does not record who wrote a document.
    changed_by_others: 0,
    digest,
    watermark,
    sample: await withFields(solr, goal, sample),
  };
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

async function findGoal(solr: Solr, state: State, { before }: RollbackTo): Promise<Goal> {
  const { client, names } = solr;
  // An interrupted switch counts as done: the next run finishes it.
  const { primary, standby } = state.move ?? (await readPlaces(solr));
  const generation = await generationIn(solr, state, standby);
  if (!generation || (await countDocuments(client, standby)) === 0)
    throw nothing(names.primary, state.load?.mode === 'everything' ? LOADING : NEVER);
  const by = generation.left_by;
  if (before === null) {
    // Another rollback would restore the data that the last rollback has undone.
    const name = by && nameOf(by);
    if (by?.action === 'rollback' && name !== null)
      throw nothing(
        names.primary,
        `${inWords(by)} has already undone the last sync; to undo that rollback, use --before ${name}`,
      );
  } else if (by === null || (before !== by.job_uid && before !== String(by.job_id))) {
    const kept = by === null ? 'whose job is unknown' : `from before ${inWords(by)}`;
    throw nothing(
      names.primary,
      `Solr keeps one generation, ${kept}, and none from before the job ${before}`,
    );
  }
  return { primary, standby, generation };
}

const LOADING = 'a sync has emptied the standby for its load and has not switched yet';
const NEVER = 'no sync has switched its aliases, or the collection was recreated since';

function nothing(app: string, why: string): JobError {
  return new JobError('nothingToRollBack', `${app} has no earlier data to restore: ${why}`);
}

function nameOf({ job_uid: uid, job_id: id }: LeftBy): string | null {
  return uid ?? (id === null ? null : String(id));
}

/** `the sync of job 7 at 2026-11-22T10:00:00.000Z` */
function inWords({ action, job_id: id, at }: LeftBy): string {
  return `the ${action}${id === null ? '' : ` of job ${id}`} at ${at}`;
}

type Sampled = { readonly id: string; readonly change: 'added' | 'updated' | 'removed' };
type Effect = {
  readonly live: number;
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  readonly digest: string;
  readonly sample: readonly Sampled[];
};

const MOST_SAMPLED = 20;

async function effectOf({ client }: Solr, { primary, standby }: Goal): Promise<Effect> {
  const counts = { added: 0, updated: 0, removed: 0 };
  const sample: Sampled[] = [];
  const digest = createHash('sha256');
  let live = 0;
  for await (const { kind, id, now, next } of compareCollections(client, { now: primary, next: standby })) {
    if (now) live += 1;
    if (kind === 'same') continue;
    counts[kind] += 1;
    if (sample.length < MOST_SAMPLED) sample.push({ id, change: kind });
    digest.update(JSON.stringify([id, kind, now?.updatedAt ?? null, next?.updatedAt ?? null]));
  }
  return { live, ...counts, digest: digest.digest('hex').slice(0, 32), sample };
}

async function withFields(
  { client }: Solr,
  { primary, standby }: Goal,
  sample: readonly Sampled[],
): Promise<RollbackPreview['sample']> {
  const ids = sample.filter(({ change }) => change === 'updated').map(({ id }) => id);
  const byId = async (collection: string): Promise<Map<string, Document>> =>
    new Map((await readDocuments(client, collection, ids)).map((document) => [document.id, document]));
  const [now, then] = [await byId(primary), await byId(standby)];
  return sample.map(({ id, change }) => ({
    id: id.slice(0, 200),
    change,
    fields: differing(now.get(id), then.get(id)),
  }));
}

/** Names of the changed fields, without values: every reader of a job sees them, and values are data. */
function differing(now: Document | undefined, then: Document | undefined): string[] {
  if (!now || !then) return [];
  return [...new Set([...Object.keys(now), ...Object.keys(then)])]
    .filter((name) => !SOLRS_OWN.has(name) && JSON.stringify(now[name]) !== JSON.stringify(then[name]))
    .map((name) => (name === UPDATED_AT ? 'updated_at' : name.slice(0, 100)))
    .slice(0, 20);
}
