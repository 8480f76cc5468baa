/** Applies a load: re-checks removals with the source, then lets the guards judge the difference. */
import { deleteVerdict, type GuardVerdict, updateVerdict } from '../../domain/guard.ts';
import { IncompleteListingError, JobError, WrongLoadError } from '../job-error.ts';
import { TooManyRejected } from '../rejected.ts';
import type { Applied, ApplyPlan, Difference, Load } from '../sinks/sink.ts';
import type { ActionContext } from './action.ts';

/** If more than this percentage of the re-checked ids still exist in the source, its listing was incomplete. */
const MOST_ANSWERS_PERCENT = 1;

type Context = Omit<ActionContext, 'source'> & {
  readonly source: Pick<ActionContext['source'], 'stillThere'>;
};

/** @throws JobError `deleteGuard` or `updateGuard`, IncompleteListingError; the sink is then unchanged */
export async function applyLoad(
  context: Context,
  load: Load,
  plan: Omit<ApplyPlan, 'answered' | 'judge' | 'force'>,
): Promise<Applied> {
  const { sink, options, progress, stop } = context;
  progress({ phase: 'comparing' });
  let answered: ReadonlySet<string> | null = null;
  for (;;) {
    stop.throwIfAborted();
    const result = await sink.apply(load, {
      ...plan,
      force: options.forceDelete,
      answered,
      judge: (difference) => {
        judge(context, load, difference);
        progress({ phase: 'applying' });
      },
    });
    if (result.kind === 'applied') return result.applied;
    answered = await recheckRemovals(context, result.ids);
  }
}

/** Asks the source for each id that would be removed. @returns the ids that the source still has: they stay */
async function recheckRemovals(
  { source, progress, log }: Context,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  progress({ phase: 'asking for what would go' });
  const there = await source.stillThere(ids);
  log.info(`re-checked ${ids.length} records to remove: the source still has ${there.size}`);
  if (there.size * 100 > ids.length * MOST_ANSWERS_PERCENT) {
    throw new IncompleteListingError(
      `the listing lacks ${ids.length} records, and the source still has ${there.size} of them when requested by id; ` +
        'find out why its listing leaves them out, then run the job again',
    );
  }
  return there;
}

function judge({ options, limits, log }: Context, { mode }: Load, difference: Difference): void {
  const { live, listed, removed, updated } = difference;
  if (mode !== 'changes') {
    const removals = { live, source: listed, removals: removed, force: options.forceDelete };
    refuse('deleteGuard', deleteVerdict({ ...limits, ...removals }), `${removed} to remove`);
  }
  if (mode !== 'ids' && limits.maxUpdatePercent !== null)
    refuse('updateGuard', updateVerdict({ ...limits, live, updates: updated }), `${updated} to update`);

  function refuse(code: 'deleteGuard' | 'updateGuard', verdict: GuardVerdict, what: string): void {
    log.info(`guard: ${live} live, ${listed} listed, ${what}: ${verdict.allowed ? 'allowed' : verdict.why}`);
    if (!verdict.allowed) throw new JobError(code, `nothing was changed: ${verdict.why}`);
  }
}

/** Runs `work`; drops the load if the error means that a resume would fail again. An interrupted load stays. */
export async function droppingUnusableLoad<T>(
  { sink, progress }: Context,
  load: Load,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isUnusable(error)) {
      progress({ checkpoint: null });
      await sink.dropLoad(load);
    }
    throw error;
  }
}

const UNUSABLE: ReadonlySet<string> = new Set([
  'deleteGuard',
  'updateGuard',
  'incompleteListing',
  'sinkAlters',
]);

function isUnusable(error: unknown): boolean {
  if (error instanceof WrongLoadError || error instanceof TooManyRejected) return true;
  return error instanceof JobError && UNUSABLE.has(error.code);
}
