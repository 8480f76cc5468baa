/**
 * Opens the sink: checks the alias, creates the state index if missing, takes the fence, finishes an interrupted move,
 * and makes this run the only one that writes to the live index.
 */
import { dropExpiredPlan } from '../generations/expired-plan.ts';
import { findDone, isSameRollback, type RollbackGiven, withStep } from '../generations/steps.ts';
import { type Applied, NOTHING_APPLIED } from '../sink.ts';
import { holderOf, type OpenSearch, readLive, refuseForeign } from './alias.ts';
import { createIndex, describeIndex } from './indexes.ts';
import { finishMove } from './move-alias.ts';
import { deleteObsolete } from './obsolete.ts';
import { STATE_BODY, STATE_INDEX } from './state-store.ts';
import { takeWriteAlias } from './write-alias.ts';

/**
 * @returns the counts if an earlier attempt has applied this step; else null
 * @throws JobError `fenced`, `sinkOwned`, `notConfigured`, `sinkReplaced`
 */
export async function openOpenSearch(sink: OpenSearch, given: RollbackGiven): Promise<Applied | null> {
  const { client, alias, store, writer, log } = sink;
  const takeOver = writer.action === 'take-over';
  const before = await store.look();
  if (takeOver) await refuseForeign(sink);
  else if (before.move) await holderOf(client, alias);
  else await readLive(sink, before);
  if (!(await describeIndex(client, STATE_INDEX))) await createIndex(client, STATE_INDEX, STATE_BODY);
  await store.takeFence();
  const finished = await finishMove(sink);
  if (finished !== null) log(`finished the interrupted ${finished.kind} of the alias of an earlier run`);
  if (takeOver) return null;
  const state = await store.read();
  const live = await readLive(sink, state);
  if (live) await takeWriteAlias(sink, live.index.name);
  await dropExpiredPlan(store, writer);
  await deleteObsolete(sink);
  const done = findDone(state.steps, writer);
  if (done || finished?.kind !== 'rollback' || !isSameRollback(writer, given, finished.undoes)) return done;
  // Finishing the interrupted rollback of another run is the one rollback that this run was asked for.
  const last = state.steps.at(-1);
  const applied = last?.action === 'rollback' ? last.applied : NOTHING_APPLIED;
  await store.change((now) => ({ ...now, steps: withStep(now.steps, writer, applied) }));
  return applied;
}
