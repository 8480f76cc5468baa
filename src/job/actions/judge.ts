/** Judges a difference before it is applied: by the guards' fixed limits, and by the usual counts of earlier runs. */
import {
  type Anomaly,
  anomaliesOf,
  anomalyWords,
  type Measure,
  type RunFigures,
} from '../../domain/baseline.ts';
import { deleteVerdict, updateVerdict } from '../../domain/guard.ts';
import type { UnusualFigure } from '../../domain/report.ts';
import { JobError } from '../job-error.ts';
import type { Difference, Judgement, Load } from '../sinks/sink.ts';
import type { ActionContext } from './action.ts';

type Context = Omit<ActionContext, 'source'>;

export type Judged = {
  readonly judgement: Judgement;
  /** Warnings about counts that are far from those of earlier runs. */
  readonly unusual: readonly string[];
};

/** A delta has no baseline: its counts grow with the time since the last one. */
export async function readEarlierRuns(
  { sink, limits }: Context,
  { mode }: Pick<Load, 'mode'>,
): Promise<readonly RunFigures[]> {
  if (limits.baseline === 'off' || mode === 'changes') return [];
  return await sink.earlierRuns();
}

/** @throws JobError for a difference that must not be applied */
export function judge(
  context: Context,
  load: Pick<Load, 'mode'>,
  { difference, earlier }: { difference: Difference; earlier: readonly RunFigures[] },
): Judged {
  const byLimits = judgeByLimits(context, load, difference);
  const run = { ...difference, bytes: difference.bytes ?? null, seconds: difference.seconds ?? null };
  // Whatever emptied the table, its first load is as little a jump as the very first one.
  const anomalies = difference.live === 0 ? [] : anomaliesOf(earlier, { ...run, at: new Date() });
  const unusual = anomalies.map((anomaly) => `unusual: ${anomalyWords(anomaly)}`);
  for (const words of unusual) context.log.info(`baseline: ${words}`);
  if (anomalies.length > 0) context.progress({ unusual: anomalies.map(asReported) });
  if (context.limits.baseline !== 'hold') return { judgement: byLimits, unusual };
  const jump = anomalies.find(({ measure }) => JUMPS.has(measure));
  if (jump && !context.options.acceptJump) {
    throw new JobError(
      'unusualJump',
      `nothing was changed: ${anomalyWords(jump)}; --accept-jump applies it once`,
    );
  }
  const loss = anomalies.find(({ measure }) => measure === 'removed');
  if (!loss || byLimits === 'hold' || context.options.forceDelete) return { judgement: byLimits, unusual };
  if (!context.sink.held) throw new JobError('deleteGuard', `nothing was changed: ${anomalyWords(loss)}`);
  return { judgement: 'hold_unusual', unusual };
}

/** A listing whose records are far larger or smaller than before has wrong contents, however few of them differ. */
const JUMPS: ReadonlySet<Measure> = new Set(['added', 'updated', 'bytes']);

function asReported(anomaly: Anomaly): UnusualFigure {
  return { ...anomaly, earlier: anomaly.earlier.map(({ at, count }) => ({ at: at.toISOString(), count })) };
}

function judgeByLimits(context: Context, { mode }: Pick<Load, 'mode'>, difference: Difference): Judgement {
  const judgement = mode === 'changes' ? judgeTold(context, difference) : judgeRemovals(context, difference);
  const { limits } = context;
  if (mode === 'ids' || limits.maxUpdatePercent === null) return judgement;
  const { live, updated: updates } = difference;
  const verdict = updateVerdict({ ...limits, live, updates });
  logVerdict(context, difference, verdict.allowed ? 'allowed' : verdict.why, `${updates} to update`);
  if (!verdict.allowed) throw new JobError('updateGuard', `nothing was changed: ${verdict.why}`);
  return judgement;
}

/** A listing of changes may be empty, and nobody has looked at the rest of the source. */
function judgeTold(context: Context, difference: Difference): Judgement {
  const { live, removed } = difference;
  return removed === 0 ? 'apply' : judgeRemovals(context, { ...difference, listed: live });
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
