/** The watermark and the evidence of the live generation after a load was applied. Pure. */
import { JobError } from '../../job-error.ts';
import type { ApplyPlan, Difference, Judgement } from '../sink.ts';
import type { Generation, HeldSet, Planned, Progress } from './state-parts.ts';

/** What an apply says about the generation after it. */
export type ForNext = Pick<ApplyPlan, 'watermark' | 'sourceState' | 'coarseTimes' | 'proven'>;

export function forNext(planned: Planned): ForNext {
  const { watermark, source_state: sourceState, coarse_times: coarseTimes, proven } = planned;
  return { watermark: watermark === null ? null : new Date(watermark), sourceState, coarseTimes, proven };
}

/** @param of.live the generation that was live; null: unknown @param of.held what the new one holds */
export function generationAfter(
  plan: ForNext,
  { live, held }: { live: Pick<Generation, 'watermark'> | null; held: HeldSet | null },
): Generation {
  return {
    synced: true,
    watermark:
      plan.watermark === 'keep' ? (live?.watermark ?? null) : (plan.watermark?.toISOString() ?? null),
    coarse_times: plan.coarseTimes,
    proven: plan.proven,
    left_by: null,
    held,
    listed_at: new Date().toISOString(),
    source_state: plan.sourceState ?? null,
  };
}

/** The generations without the STATE of their source, which may name a forgotten record; the next delta compares everything. */
export function withoutSourceStates<G extends Generation>(
  generations: Readonly<Record<string, G>>,
): Record<string, G> {
  return Object.fromEntries(
    Object.entries(generations).map(([name, generation]) => [name, { ...generation, source_state: null }]),
  );
}

/** Where the next delta goes on after one. A rejected record must be read again, so the source does not go on behind it. */
export function afterChanges(
  generation: Pick<Generation, 'watermark' | 'source_state'>,
  load: Pick<Progress, 'rejected_since' | 'rejected'>,
  { watermark, sourceState = null }: Pick<ApplyPlan, 'watermark' | 'sourceState'>,
): Pick<Generation, 'watermark' | 'source_state'> {
  return {
    watermark: watermarkAfterChanges(generation, load, watermark),
    source_state: load.rejected.length > 0 ? generation.source_state : sourceState,
  };
}

/** The watermark after a delta: at most the earliest time of a rejected record, so that the next delta reads it again. */
function watermarkAfterChanges(
  generation: Pick<Generation, 'watermark'>,
  { rejected_since: since }: Pick<Progress, 'rejected_since'>,
  watermark: ApplyPlan['watermark'],
): string | null {
  if (watermark === 'keep') return generation.watermark;
  const times = [watermark?.toISOString(), since ?? undefined].filter((time) => time !== undefined);
  return times.length === 0 || watermark === null ? null : (times.toSorted()[0] ?? null);
}

/** Judges changes that are already live; the error says so. @param sink its name @throws JobError */
export function judgeWhatIsLive(
  sink: string,
  { judge }: Pick<ApplyPlan, 'judge'>,
  difference: Difference,
): Judgement {
  try {
    return judge(difference);
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    const why = error.message.replace(/^nothing was changed: /, '');
    throw new JobError(
      error.code,
      `a delta into ${sink} writes while it reads, so these changes are live; the watermark stays: ${why}. If they were not ` +
        'intended, correct the source and run a sync',
      { cause: error },
    );
  }
}

/** Says that the good records of a delta with too many bad ones are written. */
export function alreadyLive(sink: string): string {
  return `a delta into ${sink} writes while it reads, so the good records are live; the watermark stays`;
}
