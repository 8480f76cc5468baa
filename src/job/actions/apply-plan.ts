/** Action apply: does exactly what a kept plan says, or nothing. */
import type { ActionContext } from './action.ts';
import { reportApplied } from './report-applied.ts';

export async function applyPlan(
  { sink, progress, log }: Pick<ActionContext, 'sink' | 'progress' | 'log'>,
  plan: { readonly uid: string; readonly digest: string },
): Promise<void> {
  progress({ phase: 'applying' });
  const { applied, of, watermark, proven } = await sink.plans.apply(plan);
  log.info(`the plan of a ${of} holds, and was applied`);
  progress({
    watermark: watermark?.toISOString() ?? null,
    ...(proven === null ? {} : { listing: proven ? 'complete' : 'unproven' }),
  });
  reportApplied({ progress, log }, applied);
}
