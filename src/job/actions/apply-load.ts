/** Applies a load: lets the guards judge the difference, and re-checks with the source what would go or wait. */
import { IncompleteListingError, JobError, WrongLoadError } from '../job-error.ts';
import { TooManyRejected } from '../rejected.ts';
import { type Applied, type ApplyPlan, type Load, MOST_ASKED } from '../sinks/sink.ts';
import type { ActionContext } from './action.ts';
import { judge, readEarlierRuns } from './judge.ts';

/** If more than this percentage of the re-checked ids still exist in the source, its listing was incomplete. */
const MOST_ANSWERS_PERCENT = 1;

type Context = Omit<ActionContext, 'source'> & {
  readonly source: Pick<ActionContext['source'], 'stillThere'>;
};

/**
 * @returns the counts, and warnings about those that are unusual
 * @throws JobError `deleteGuard`, `updateGuard` or `unusualJump`, IncompleteListingError; the sink is then unchanged
 */
export async function applyLoad(
  context: Context,
  load: Load,
  plan: Omit<ApplyPlan, 'answered' | 'judge' | 'force' | 'weigh'>,
): Promise<{ applied: Applied; unusual: readonly string[] }> {
  const { sink, options, limits, progress, stop } = context;
  progress({ phase: 'comparing' });
  const earlier = await readEarlierRuns(context, load);
  let unusual: readonly string[] = [];
  let answered: ReadonlySet<string> | null = null;
  for (;;) {
    stop.throwIfAborted();
    const result = await sink.apply(load, {
      ...plan,
      force: options.forceDelete,
      weigh: limits.baseline !== 'off',
      answered,
      judge: (difference) => {
        const judged = judge(context, load, { difference, earlier });
        ({ unusual } = judged);
        progress({ phase: 'applying' });
        return judged.judgement;
      },
    });
    if (result.kind === 'applied') return { applied: result.applied, unusual };
    answered = await recheckRemovals(context, load, result.ids);
  }
}

/** Asks the source for each id that would be removed. @returns the ids that the source still has: they stay */
async function recheckRemovals(
  { source, progress, log }: Context,
  { mode }: Pick<Load, 'mode'>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  progress({ phase: 'asking for what would go' });
  const there = await source.stillThere(ids);
  log.info(`re-checked ${ids.length} records to remove: the source still has ${there.size}`);
  // These may have come back since the listing. Where only a sample was asked, the others would go unasked.
  if (mode === 'changes' && ids.length < MOST_ASKED) return there;
  if (there.size * 100 > ids.length * MOST_ANSWERS_PERCENT) {
    if (mode === 'changes') throw deletedButThere(ids.length, there.size);
    throw new IncompleteListingError(
      `the listing lacks ${ids.length} records, and the source still has ${there.size} of them when requested by id; ` +
        'find out why its listing leaves them out, then run the job again',
    );
  }
  return there;
}

function deletedButThere(told: number, there: number): IncompleteListingError {
  return new IncompleteListingError(
    `the source says that it has deleted records, and of ${told} of them that were requested by id it still has ${there}; ` +
      'find out why it says so, then run the job again',
  );
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
  'unusualJump',
  'incompleteListing',
  'sinkAlters',
]);

function isUnusable(error: unknown): boolean {
  if (error instanceof WrongLoadError || error instanceof TooManyRejected) return true;
  return error instanceof JobError && UNUSABLE.has(error.code);
}
