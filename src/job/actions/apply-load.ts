/** Applies a load: lets the guards judge the difference, and re-checks with the source what would go or wait. */
import { deleteVerdict, updateVerdict } from '../../domain/guard.ts';
import { IncompleteListingError, JobError, WrongLoadError } from '../job-error.ts';
import { TooManyRejected } from '../rejected.ts';
import type { Applied, ApplyPlan, Difference, Judgement, Load } from '../sinks/sink.ts';
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
        const judgement = judge(context, load, difference);
        progress({ phase: 'applying' });
        return judgement;
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

function judge(context: Context, { mode }: Load, difference: Difference): Judgement {
  const judgement = mode === 'changes' ? 'apply' : judgeRemovals(context, difference);
  const { limits } = context;
  if (mode === 'ids' || limits.maxUpdatePercent === null) return judgement;
  const { live, updated: updates } = difference;
  const verdict = updateVerdict({ ...limits, live, updates });
  logVerdict(context, difference, verdict.allowed ? 'allowed' : verdict.why, `${updates} to update`);
  if (!verdict.allowed) throw new JobError('updateGuard', `nothing was changed: ${verdict.why}`);
  return judgement;
}

/** @throws JobError `deleteGuard` for an empty source, and above the limits if the sink cannot hold removals */
function judgeRemovals(context: Context, difference: Difference): Judgement {
  const { sink, options, limits } = context;
  const { live, listed: source, removed: removals } = difference;
  const verdict = deleteVerdict({ ...limits, live, source, removals, force: options.forceDelete });
  const tell = (words: string): void => logVerdict(context, difference, words, `${removals} to remove`);
  if (verdict.allowed) {
    tell('allowed');
    return 'apply';
  }
  if (verdict.mayWait && sink.held) {
    tell(`they wait for an answer: ${verdict.why}`);
    return 'hold';
  }
  tell(verdict.why);
  throw new JobError('deleteGuard', `nothing was changed: ${verdict.why}`);
}

function logVerdict({ log }: Context, { live, listed }: Difference, verdict: string, what: string): void {
  log.info(`guard: ${live} live, ${listed} listed, ${what}: ${verdict}`);
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
