/**
 * The fence of an alias: only its owner may write, and of the owner's runs only the one that opened the sink
 * last. Pure.
 */
import { JobError } from '../../job-error.ts';
import { ownerInWords, type Writer } from '../writer.ts';
import type { Fence, Owner } from './state-parts.ts';

/** The alias, and the setting that names it. */
export type Place = { readonly alias: string; readonly setting: string };

type Fenced = { readonly owner: Owner | null; readonly fence: Fence };

export function fenced(alias: string, why: string): JobError {
  return new JobError('fenced', `alias ${alias}: ${why}; this run has written nothing since then`);
}

/**
 * The state after this run took the fence. Refuses older jobs and other owners, except for a take-over. The first run
 * becomes the owner.
 *
 * @throws JobError `fenced`, `sinkOwned`
 */
export function withFence<S extends Fenced>(state: S, place: Place, writer: Writer): S {
  const takeOver = writer.action === 'take-over';
  if (!takeOver) {
    refuseOtherOwner(state, place, writer);
    refuseOlder(state, place, writer);
  }
  const { installation, env, target, jobId, jobUid, step, attempt, run } = writer;
  const alone = jobId === null && !takeOver;
  return {
    ...state,
    owner: installation === null ? (takeOver ? null : state.owner) : { installation, env, target },
    fence: {
      ...(alone ? state.fence : { job_id: jobId, job_uid: jobUid, step, attempt }),
      run,
      at: new Date().toISOString(),
    },
  };
}

/** @throws JobError `sinkOwned` */
export function refuseOtherOwner({ owner, fence }: Fenced, { alias, setting }: Place, writer: Writer): void {
  if (owner === null || owner.installation === null || writer.installation === null) return;
  const same =
    owner.installation === writer.installation && owner.env === writer.env && owner.target === writer.target;
  if (same) return;
  throw new JobError(
    'sinkOwned',
    `alias ${alias} belongs to ${ownerInWords(owner)}, whose job ${fence.job_id ?? '(none)'} wrote there` +
      `${fence.at === null ? '' : ` at ${fence.at}`}; this run belongs to ${ownerInWords(writer)}. Give each target its own alias ` +
      `(${setting}), or take it over: syncrator sink take-over ${writer.target} ${writer.env}`,
  );
}

function refuseOlder({ fence }: Fenced, { alias }: Place, writer: Writer): void {
  if (fence.job_id === null || writer.jobId === null) return;
  const theirs = [fence.job_id, fence.step, fence.attempt];
  const ours = [writer.jobId, writer.step, writer.attempt];
  const at = theirs.findIndex((part, nth) => part !== ours[nth]);
  if (at === -1 || (theirs[at] ?? 0) < (ours[at] ?? 0)) return;
  throw new JobError(
    'fenced',
    `a newer job (${fence.job_id}) wrote to alias ${alias}${fence.at === null ? '' : ` at ${fence.at}`}; this run has written ` +
      `nothing. If job numbers have restarted: syncrator sink take-over ${writer.target ?? '<target>'} ${writer.env ?? '<env>'}`,
  );
}
